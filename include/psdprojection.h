/*
   The projection of one symmetric matrix onto the cone of positive semidefinite matrices, over all ranks of a communicator:

     Z = argmin ||X - Z||_F over Z >= 0,       X = Z - N,  N >= 0,  <Z,N> = 0.

   For matrices that are too large for one rank, as a solver of semidefinite programs has them. X and Z are dealt out in
   blocks over a grid of ranks, as ScaLAPACK wants it. Nothing else of psdnet is needed: PsdInitialize, and

     PsdProjectionCreate(comm, order, &projection);   PsdProjectionSetFromOptions(projection);
     PsdProjectionGetLayout(projection, &layout);     room for layout.rows x layout.columns numbers, twice: X and Z
     PsdProjectionFill(projection, entry, data, X);   or whatever else makes this rank's part
     PsdProjectionApply(projection, X, Z, &result);   as often as there are matrices of this order
     PsdProjectionDestroy(&projection);

   A program that does so is tests/examples/project.c. Two methods find Z. The complete one has all eigenpairs (ScaLAPACK's
   pdsyevd). The partial one has those of the side that has fewer, of Z or of N: products of X with a few vectors, and a
   Cholesky factorisation which proves that no eigenvalue of that side was missed (docs/mathematics.md, section 2,
   "Projection of one matrix over all ranks").
*/
#ifndef PSDPROJECTION_H
#define PSDPROJECTION_H

#include <psdbase.h>

typedef struct _p_PsdProjection *PsdProjection;

/* auto: the partial one when the last matrix had few eigenvalues on one side, else the complete one. */
typedef enum { PSD_PROJECTION_AUTO, PSD_PROJECTION_COMPLETE, PSD_PROJECTION_PARTIAL } PsdProjectionMethod;

/*
   Where entries are: entry (i, j) is with the rank in row (i / block) mod height and column (j / block) mod width of the
   grid; rank r is in row r / width, column r mod width. A few of the last ranks may be left out, so that the grid is nearer to a
   square; these have no rows and no columns. A part is an array of rows x columns by columns: its leading dimension is rows.
*/
typedef struct {
  PetscInt order, block, rows, columns;
  PetscMPIInt height, width, row, column; /* row, column: -1 on ranks that are left out */
  int descriptor[9]; /* ScaLAPACK's, DESC_; its context (descriptor[1]) is -1 on ranks that are left out */
} PsdProjectionLayout;

/* What the last projection found. ||Z - exact||_F <= residual + missed, up to the rounding of an eigendecomposition, which
   is of the size of order eps ||X||_2. */
typedef struct {
  PsdProjectionMethod method; /* that found it: complete or partial */
  PetscInt side;              /* 1: eigenpairs of Z, -1: of N, whichever has fewer */
  PetscInt found;             /* so many */
  PetscInt products;          /* partial: X was multiplied with so many vectors */
  PetscReal norm;             /* ||X||_F */
  PetscReal residual;         /* partial: sqrt(2) ||X U - U Theta||_F of the pairs */
  PetscReal
      missed; /* partial: what eigenvalues of that side that were not found can come to; proved, 0 where there can be none */
} PsdProjectionResult;

/*
   PsdProjectionCreate - For matrices of an order.

   Collective on comm, which is kept and must last. Errors (PSD_ERR_INPUT): an order below 1, or one that ScaLAPACK cannot
   count on so few ranks (order^2 numbers over ranks are 2^31 or more).
*/
PSD_EXTERN PetscErrorCode PsdProjectionCreate(MPI_Comm comm, PetscInt order, PsdProjection *projection);

/*
   PsdProjectionSetMethod - PSD_PROJECTION_AUTO at first. PsdProjectionSetTolerance - what residual and missed may come to, of
   ||X||_F; 1e-9 at first. Where rounding leaves no proof of it the complete method is taken. PsdProjectionSetMost - so many eigenpairs the
   partial method looks for before it gives up; a quarter of the order, and no more than 256, at first: it takes 16 numbers a pair and row of vectors,
   and a space of four times as many vectors on each rank.

   Logically collective; before the first PsdProjectionApply. Errors (PSD_ERR_INPUT): out of range.
*/
PSD_EXTERN PetscErrorCode PsdProjectionSetMethod(PsdProjection projection, PsdProjectionMethod method);
PSD_EXTERN PetscErrorCode PsdProjectionSetTolerance(PsdProjection projection, PetscReal tolerance);
PSD_EXTERN PetscErrorCode PsdProjectionSetMost(PsdProjection projection, PetscInt most);

/*
   PsdProjectionSetFromOptions - Reads -projection auto|complete|partial, -projection_tolerance and -projection_most. SLEPc's
   -eps_type and others apply to the partial method, whose own type is psdblock.

   Logically collective. Errors (PSD_ERR_INPUT): as above.
*/
PSD_EXTERN PetscErrorCode PsdProjectionSetFromOptions(PsdProjection projection);

/*
   PsdProjectionGetLayout - Says where entries are, on this rank and in ScaLAPACK's terms. The context of the descriptor is
   the projection's and ends with it.

   Not collective.
*/
PSD_EXTERN PetscErrorCode PsdProjectionGetLayout(PsdProjection projection, PsdProjectionLayout *layout);

/* The row and column in the matrix of this rank's row and column number `local`. */
static inline PetscInt PsdProjectionRow(const PsdProjectionLayout *layout, PetscInt local)
{
  return (local / layout->block * layout->height + layout->row) * layout->block + local % layout->block;
}

static inline PetscInt PsdProjectionColumn(const PsdProjectionLayout *layout, PetscInt local)
{
  return (local / layout->block * layout->width + layout->column) * layout->block + local % layout->block;
}

/*
   PsdProjectionFill - Makes this rank's part of a matrix from a function of row and column, which is asked for entries on and below the
   diagonal alone; the others are 0.

   Not collective.
*/
PSD_EXTERN PetscErrorCode PsdProjectionFill(PsdProjection projection,
                                            PetscReal (*entry)(PetscInt row, PetscInt column, void *data), void *data,
                                            PetscReal X[]);

/*
   PsdProjectionDistribute - Deals out a whole matrix, order x order by columns, that rank 0 has. PsdProjectionCollect - The
   way back. whole: looked at on rank 0 alone.

   Collective.
*/
PSD_EXTERN PetscErrorCode PsdProjectionDistribute(PsdProjection projection, const PetscReal whole[], PetscReal X[]);
PSD_EXTERN PetscErrorCode PsdProjectionCollect(PsdProjection projection, const PetscReal Z[], PetscReal whole[]);

/*
   PsdProjectionApply - Projects: Z is the positive semidefinite matrix that is nearest to X.

   Collective.

   Input:
     X - this rank's part; of X what is on and below the diagonal is read, and nothing is changed

   Output:
     Z      - this rank's part, of both triangles, the same to the last bit; another array than X
     result - what was found; or NULL

   Memory: the first one makes what it needs, a matrix more than X and Z for the partial method and four more for the complete one,
   all over ranks. Errors (PSD_ERR_INPUT): X is not finite, or no memory; (PETSC_ERR_LIB): ScaLAPACK failed.
   Source: Rontsis, Goulart, Nakatsukasa, "Efficient semidefinite programming with approximate ADMM", 2022, for the partial
   method in a solver; the proof by counting is psdnet's.
*/
PSD_EXTERN PetscErrorCode PsdProjectionApply(PsdProjection projection, const PetscReal X[], PetscReal Z[],
                                             PsdProjectionResult *result);

PSD_EXTERN PetscErrorCode PsdProjectionDestroy(PsdProjection *projection);

#endif

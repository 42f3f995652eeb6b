/*
   Cholesky factor of the distributed matrix, panel by panel: with A's block column k reduced by the panels before it,

     L_kk L_kk' = A_kk,   L_Ik = A_Ik L_kk^-T   (I > k),   A_IJ -= L_Ik L_Jk'   (I >= J > k).

   Panel k goes along the rows of the grid, to those who have its rows as rows, and then down its columns, to those who
   have them as columns. While the blocks behind it are reduced, block column k + 1 is, first of all, and panel k + 1 is already on
   its way: ranks wait for messages only where these take longer than what is left to be computed. pdpotrf has each rank
   wait for each panel, and sends a panel to all rows of a column of the grid from one of them, which several rows of a node
   receive one by one.

   Where triangles of the factor are inverted, their inverses are made of the same panels, a step each (grid_inverse.c).

   Blocks above the diagonal are not touched, and of those on it the lower triangle alone.
*/
#include "grid_cholesky.h"
#include "base/base.h"
#include "base/spread.h"
#include "grid_impl.h"
#include "grid_inverse.h"
#include <petscblaslapack.h>

/* A panel on its way, in ranks' parts of it. */
typedef struct {
  PetscInt k, width;                /* of the block column */
  PetscInt first_row, first_column; /* the first of this rank's rows and columns that are behind it */
  PetscInt rows, columns;           /* how many are */
  PetscReal *diagonal;              /* L_kk, width x width */
  PetscReal *of_rows, *of_columns;  /* L_Ik of this rank's rows, and of its columns: rows x width, columns x width */
  PetscReal *packed;                /* of_columns as it comes: what is row h's, for each row h of the grid */
  PetscBool turned;                 /* this rank's rows were given to its column */
  PsdSpread on_diagonal, along, *down;
} Panel;

struct _p_PsdGridCholesky {
  Panel panel[2];
  PsdGridInverse inverse;
};

/* ---------------------------------------------------------------- memory */

PetscErrorCode PsdGridCholeskyCreate(PsdGrid it, PsdGridCholesky *cholesky)
{
  PetscFunctionBeginUser;
  PetscCall(PetscNew(cholesky));
  for (size_t k = 0; k < 2; k++) {
    Panel *panel = &(*cholesky)->panel[k];
    PetscCall(PetscMalloc5(it->block * it->block, &panel->diagonal, it->rows.count * it->block, &panel->of_rows,
                           it->cols.count * it->block, &panel->of_columns, it->cols.count * it->block, &panel->packed,
                           it->shape.height, &panel->down));
    PetscCall(PetscArrayzero(panel->down, it->shape.height));
  }
  PetscCall(PsdGridInverseCreate(it, &(*cholesky)->inverse));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdGridCholeskyDestroy(PsdGridCholesky *cholesky)
{
  PetscFunctionBeginUser;
  if (!*cholesky) PetscFunctionReturn(0);
  for (size_t k = 0; k < 2; k++) {
    Panel *panel = &(*cholesky)->panel[k];
    PetscCall(PetscFree5(panel->diagonal, panel->of_rows, panel->of_columns, panel->packed, panel->down));
  }
  PetscCall(PsdGridInverseDestroy(&(*cholesky)->inverse));
  PetscCall(PetscFree(*cholesky));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- a panel's way */

/* Number of the block that local column `column` is in. */
static PetscInt BlockOf(PsdGrid it, PetscInt column)
{
  return column / it->block * it->shape.width + it->column;
}

/* How many of a rank's columns behind the panel are in blocks that row h of the grid has as rows. */
static PetscInt ColumnsOf(PsdGrid it, const Panel *panel, PetscMPIInt h)
{
  PetscInt sum = 0;
  for (PetscInt c = panel->first_column; c < it->cols.count; c += it->block)
    if (BlockOf(it, c) % it->shape.height == h) sum += PetscMin(it->block, it->cols.count - c);
  return sum;
}

/* Its sizes, and what comes of it is asked for. The numbers that this panel's memory had before are gone. */
static PetscErrorCode Announce(PsdGrid it, PetscInt k, Panel *panel)
{
  PetscFunctionBeginUser;
  const PetscMPIInt row = (PetscMPIInt)(k % it->shape.height), column = (PetscMPIInt)(k % it->shape.width);
  PetscCall(PsdSpreadEnd(&panel->on_diagonal));
  PetscCall(PsdSpreadEnd(&panel->along));
  for (PetscMPIInt h = 0; h < it->shape.height; h++) PetscCall(PsdSpreadEnd(&panel->down[h]));
  panel->k = k;
  panel->width = PetscMin(it->block, it->N - k * it->block);
  panel->first_row = PsdCyclicCount(PetscMin(it->N, (k + 1) * it->block), it->block, it->row, it->shape.height);
  panel->first_column = PsdCyclicCount(PetscMin(it->N, (k + 1) * it->block), it->block, it->column, it->shape.width);
  panel->rows = it->rows.count - panel->first_row;
  panel->columns = it->cols.count - panel->first_column;
  panel->turned = PETSC_FALSE;
  if (it->column == column)
    PetscCall(PsdSpreadBegin(it->file, row, PSD_GRID_ON_DIAGONAL, panel->width * panel->width, panel->diagonal,
                             &panel->on_diagonal));
  PetscCall(
      PsdSpreadBegin(it->line, column, PSD_GRID_ALONG_ROWS, panel->rows * panel->width, panel->of_rows, &panel->along));
  PetscReal *packed = panel->packed;
  for (PetscMPIInt h = 0; h < it->shape.height; h++) {
    const PetscInt length = ColumnsOf(it, panel, h) * panel->width;
    PetscCall(PsdSpreadBegin(it->file, h, PSD_GRID_DOWN_COLUMNS + h, length, packed, &panel->down[h]));
    packed += length;
  }
  PetscFunctionReturn(0);
}

/* packed <- of the rows here those that this rank's column of the grid has as columns */
static PetscErrorCode PackTransposed(PsdGrid it, Panel *panel)
{
  PetscFunctionBeginUser;
  PetscReal *packed = panel->down[it->row].array;
  const PetscInt count = ColumnsOf(it, panel, it->row);
  for (PetscInt c = panel->first_column; c < it->cols.count; c += it->block) {
    const PetscInt number = BlockOf(it, c), width = PetscMin(it->block, it->cols.count - c);
    if (number % it->shape.height != it->row) continue;
    const PetscInt row = number / it->shape.height * it->block - panel->first_row;
    for (PetscInt j = 0; j < panel->width; j++)
      PetscCall(PetscArraycpy(packed + (size_t)j * (size_t)count,
                              panel->of_rows + (size_t)j * (size_t)panel->rows + row, width));
    packed += width;
  }
  PetscFunctionReturn(0);
}

/* of_columns <- packed */
static PetscErrorCode UnpackTransposed(PsdGrid it, Panel *panel)
{
  PetscFunctionBeginUser;
  for (PetscMPIInt h = 0; h < it->shape.height; h++) {
    const PetscReal *packed = panel->down[h].array;
    const PetscInt count = panel->down[h].length / panel->width;
    for (PetscInt c = panel->first_column; c < it->cols.count; c += it->block) {
      const PetscInt width = PetscMin(it->block, it->cols.count - c);
      if (BlockOf(it, c) % it->shape.height != h) continue;
      for (PetscInt j = 0; j < panel->width; j++)
        PetscCall(PetscArraycpy(panel->of_columns + (size_t)j * (size_t)panel->columns + c - panel->first_column,
                                packed + (size_t)j * (size_t)count, width));
      packed += width;
    }
  }
  PetscFunctionReturn(0);
}

/* Rows that have come go down the column. */
static PetscErrorCode Turn(PsdGrid it, Panel *panel)
{
  PetscFunctionBeginUser;
  if (!panel->along.here || panel->turned) PetscFunctionReturn(0);
  PetscCall(PackTransposed(it, panel));
  PetscCall(PsdSpreadGive(&panel->down[it->row]));
  panel->turned = PETSC_TRUE;
  PetscFunctionReturn(0);
}

/* Hands on what has come of a panel, and waits for nothing. */
static PetscErrorCode LookAfter(PsdGrid it, Panel *panel)
{
  PetscFunctionBeginUser;
  PetscCall(PsdSpreadLook(&panel->along));
  PetscCall(Turn(it, panel));
  for (PetscMPIInt h = 0; h < it->shape.height; h++) PetscCall(PsdSpreadLook(&panel->down[h]));
  PetscFunctionReturn(0);
}

/* Until the panel is here, as rows and as columns. */
static PetscErrorCode Await(PsdGrid it, Panel *panel)
{
  PetscFunctionBeginUser;
  PetscCall(PsdSpreadWait(&panel->along));
  PetscCall(Turn(it, panel));
  for (PetscMPIInt h = 0; h < it->shape.height; h++) PetscCall(PsdSpreadWait(&panel->down[h]));
  PetscCall(UnpackTransposed(it, panel));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- computing */

/* to (rows x columns without gaps) <- from, in columns of length ld */
static PetscErrorCode Gather(PetscInt rows, PetscInt columns, const PetscReal from[], PetscInt ld, PetscReal to[])
{
  PetscFunctionBeginUser;
  for (PetscInt j = 0; j < columns; j++)
    PetscCall(PetscArraycpy(to + (size_t)j * (size_t)rows, from + (size_t)j * (size_t)ld, rows));
  PetscFunctionReturn(0);
}

/* L_kk, where it is, in place and to panel->diagonal. failed: its row of the matrix, when it is the first without one. */
static PetscErrorCode FactorDiagonal(PsdGrid it, Panel *panel, PetscReal *block, PetscInt *failed)
{
  PetscFunctionBeginUser;
  PetscBLASInt width, ld, info;
  PetscCall(PetscBLASIntCast(panel->width, &width));
  PetscCall(PetscBLASIntCast(it->rows.count, &ld));
  PetscCallBLAS("LAPACKpotrf", LAPACKpotrf_("L", &width, block, &ld, &info));
  PetscCheck(info >= 0, PETSC_COMM_SELF, PETSC_ERR_LIB, "dpotrf returned %d", (int)info);
  if (info > 0 && *failed == 0) *failed = panel->k * it->block + info;
  PetscCall(Gather(panel->width, panel->width, block, it->rows.count, panel->diagonal));
  PetscFunctionReturn(0);
}

/* On the ranks of its column: the panel itself, in place, and on its way along the rows. */
static PetscErrorCode MakePanel(PsdGrid it, PsdGridCholesky cholesky, PetscInt k, PetscInt *failed)
{
  PetscFunctionBeginUser;
  Panel *panel = &cholesky->panel[k % 2];
  const PetscReal one = 1;
  const PetscInt column = panel->k / it->shape.width * it->block;
  PetscReal *part = it->factor + (size_t)column * (size_t)it->rows.count;
  PetscBLASInt rows, width, ld;
  if (panel->on_diagonal.root) {
    PetscCall(FactorDiagonal(it, panel, part + panel->first_row - panel->width, failed));
    PetscCall(PsdSpreadGive(&panel->on_diagonal));
    if (it->inverse) PetscCall(PsdGridInverseGive(cholesky->inverse, k, panel->diagonal));
  }
  PetscCall(PsdSpreadWait(&panel->on_diagonal));
  PetscCall(PetscBLASIntCast(panel->rows, &rows));
  PetscCall(PetscBLASIntCast(panel->width, &width));
  PetscCall(PetscBLASIntCast(it->rows.count, &ld));
  if (rows == 0) PetscFunctionReturn(0);
  part += panel->first_row;
  PetscCallBLAS("BLAStrsm", BLAStrsm_("R", "L", "T", "N", &rows, &width, &one, panel->diagonal, &width, part, &ld));
  PetscCall(Gather(panel->rows, panel->width, part, it->rows.count, panel->of_rows));
  PetscCall(PsdSpreadGive(&panel->along));
  PetscFunctionReturn(0);
}

/* Block column at local column c, on and below the diagonal, less what the panel takes from it. */
static PetscErrorCode Reduce(PsdGrid it, const Panel *panel, PetscInt c)
{
  PetscFunctionBeginUser;
  const PetscReal minus = -1, one = 1;
  const PsdGridBlock block = PsdGridBlockAt(it, c);
  const PetscInt square = block.square ? block.width : 0, first = block.diagonal + square;
  PetscReal *part = it->factor + (size_t)c * (size_t)it->rows.count;
  const PetscReal *of_rows = panel->of_rows + block.diagonal - panel->first_row,
                  *of_columns = panel->of_columns + c - panel->first_column;
  PetscBLASInt below, width, inner, ld, ld_rows, ld_columns;
  PetscCall(PetscBLASIntCast(it->rows.count - first, &below));
  PetscCall(PetscBLASIntCast(block.width, &width));
  PetscCall(PetscBLASIntCast(panel->width, &inner));
  PetscCall(PetscBLASIntCast(it->rows.count, &ld));
  PetscCall(PetscBLASIntCast(PetscMax(1, panel->rows), &ld_rows));
  PetscCall(PetscBLASIntCast(panel->columns, &ld_columns));
  if (block.square)
    PetscCallBLAS("BLASsyrk",
                  BLASsyrk_("L", "N", &width, &inner, &minus, of_rows, &ld_rows, &one, part + block.diagonal, &ld));
  if (below > 0)
    PetscCallBLAS("BLASgemm", BLASgemm_("N", "T", &below, &width, &inner, &minus, of_rows + square, &ld_rows,
                                        of_columns, &ld_columns, &one, part + first, &ld));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- steps */

/* Panel k and, where it takes part, block row k of the inverse are asked for and, on the ranks of its column, made. */
static PetscErrorCode Begin(PsdGrid it, PsdGridCholesky cholesky, PetscInt k, PetscInt *failed)
{
  PetscFunctionBeginUser;
  PetscCall(Announce(it, k, &cholesky->panel[k % 2]));
  if (it->inverse) PetscCall(PsdGridInverseAnnounce(it, cholesky->inverse, k));
  if (k % it->shape.width != it->column) PetscFunctionReturn(0);
  if (k > 0) PetscCall(Reduce(it, &cholesky->panel[(k - 1) % 2], cholesky->panel[(k - 1) % 2].first_column));
  PetscCall(MakePanel(it, cholesky, k, failed));
  PetscFunctionReturn(0);
}

/* What is behind panel k and the block column after it, less what the panel takes from it. */
static PetscErrorCode ReduceOthers(PsdGrid it, PsdGridCholesky cholesky, PetscInt k)
{
  PetscFunctionBeginUser;
  const Panel *panel = &cholesky->panel[k % 2];
  const PetscBool mine = (PetscBool)((k + 1) % it->shape.width == it->column);
  for (PetscInt c = panel->first_column + (mine ? it->block : 0); c < it->cols.count; c += it->block) {
    PetscCall(Reduce(it, panel, c));
    PetscCall(LookAfter(it, &cholesky->panel[(k + 1) % 2]));
    if (it->inverse) PetscCall(PsdGridInverseLook(cholesky->inverse, k));
  }
  PetscFunctionReturn(0);
}

/* What is left of the inverse behind block row k, less what that takes from it. */
static PetscErrorCode ReduceInverse(PsdGrid it, PsdGridCholesky cholesky, PetscInt k)
{
  PetscFunctionBeginUser;
  const Panel *panel = &cholesky->panel[k % 2];
  PetscInt columns, c = 0;
  PetscCall(PsdGridInverseAwait(cholesky->inverse, k, &columns));
  while (c < columns) {
    PetscCall(PsdGridInverseSubtract(it, cholesky->inverse, k, c, panel->of_rows, PetscMax(1, panel->rows), &c));
    PetscCall(LookAfter(it, &cholesky->panel[(k + 1) % 2]));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode End(PsdGrid it, PsdGridCholesky cholesky)
{
  PetscFunctionBeginUser;
  for (size_t k = 0; k < 2; k++) {
    Panel *panel = &cholesky->panel[k];
    PetscCall(PsdSpreadEnd(&panel->on_diagonal));
    PetscCall(PsdSpreadEnd(&panel->along));
    for (PetscMPIInt h = 0; h < it->shape.height; h++) PetscCall(PsdSpreadEnd(&panel->down[h]));
  }
  PetscCall(PsdGridInverseEnd(cholesky->inverse));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdGridCholeskyFactor(PsdGrid it, PsdGridCholesky cholesky, PetscInt *failed)
{
  PetscFunctionBeginUser;
  const PetscInt panels = (it->N + it->block - 1) / it->block;
  *failed = 0;
  PetscCall(Begin(it, cholesky, 0, failed));
  for (PetscInt k = 0; k < panels; k++) {
    const PetscBool more = (PetscBool)(k + 1 < panels);
    PetscCall(Await(it, &cholesky->panel[k % 2]));
    if (more) PetscCall(Begin(it, cholesky, k + 1, failed));
    if (it->inverse) PetscCall(PsdGridInverseMake(it, cholesky->inverse, k));
    if (!more) break;
    PetscCall(ReduceOthers(it, cholesky, k));
    if (it->inverse) PetscCall(ReduceInverse(it, cholesky, k));
  }
  PetscCall(End(it, cholesky));
  PetscFunctionReturn(0);
}

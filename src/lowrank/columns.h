/*
   The factors of all blocks (docs/mathematics.md, "The low-rank solver"): the block of region g, class t and sign s is
   F F', F = [V; W] with <J, F F'> = 0, and has as many columns [v; w] as its rank.

   All columns of a region stand side by side, so that its products are one product. Every rank holds all columns.
*/
#ifndef PSD_COLUMNS_PRIVATE_H
#define PSD_COLUMNS_PRIVATE_H

#include <petscsys.h>

/* Which columns there are, and where. Vectors of the shape of F have at[count] numbers. */
typedef struct {
  PetscInt G, C, count;
  PetscInt *K;     /* G: numbers of v; a column has one more */
  PetscInt *first; /* G + 1: columns of a region */
  PetscInt *block; /* count, ascending: see PsdBlockOf */
  size_t *at;      /* count + 1 */
  PetscReal *F;
} PsdColumns;

/* The number of a block: regions one after the other, in a region classes, of a class Z (s = 0) before Z' (s = 1). */
static inline PetscInt PsdBlockOf(const PsdColumns *columns, PetscInt g, PetscInt t, PetscInt s)
{
  return (g * columns->C + t) * 2 + s;
}
static inline PetscInt PsdBlockRegion(const PsdColumns *columns, PetscInt block)
{
  return block / (2 * columns->C);
}
static inline PetscInt PsdBlockClass(const PsdColumns *columns, PetscInt block)
{
  return block / 2 % columns->C;
}
static inline PetscReal PsdBlockSign(PetscInt block)
{
  return block % 2 ? -1 : 1;
}
static inline PetscInt PsdBlockCount(const PsdColumns *columns)
{
  return 2 * columns->C * columns->G;
}

/* PsdColumnsCreate - `count` columns of zeros of the blocks `block`, ascending. Not collective. */
PetscErrorCode PsdColumnsCreate(PetscInt G, PetscInt C, const PetscInt K[], PetscInt count, const PetscInt block[],
                                PsdColumns *columns);
PetscErrorCode PsdColumnsDestroy(PsdColumns *columns);

/* PsdColumnsJoin - columns becomes the columns of both. Not collective. */
PetscErrorCode PsdColumnsJoin(PsdColumns *columns, const PsdColumns *more);

/* PsdColumnsRetract - F, of the shape of the columns, back to <J, F F'> = 0: V/tau and W tau, tau^2 = ||V||/||W||, block by
   block. A block whose V or W vanishes becomes 0, the only multiple that is feasible. Not collective. */
void PsdColumnsRetract(const PsdColumns *columns, PetscReal F[]);

/* PsdColumnsMultipliers - mu[block] <- 2 mu = -<J F, gradient>/||F||^2 for the blocks that have columns, which makes gradient + 2 mu
   J F tangential; those of other blocks stay. Not collective. */
void PsdColumnsMultipliers(const PsdColumns *columns, const PetscReal gradient[], PetscReal mu[]);

/* PsdColumnsCompress - columns F U with F = F U U', orthogonal to each other, without those that are shorter than `least`
   times the longest of their block; retracted. Not collective. */
PetscErrorCode PsdColumnsCompress(PsdColumns *columns, PetscReal least);

#endif

/*
   Levels: x V_K by tiles, kept when there is room and made again from the patches at each pass when there is not.

   The variance along direction e of a region whose samples have `count` patches each is the sum over samples of

     (e . mean of x)^2 + (mean of (e . x)^2 - (e . mean of x)^2)/count

   which is what a second moment of the pooled products g x is like when g varies little from patch to patch (first term)
   or at random (second term); with one patch a sample it is the second moment.
*/
#include "level.h"
#include "base/base.h"
#include "base/gemm.h"

#define TILE_BYTES ((size_t)8 << 20) /* of a kept level: what stays in cache between two products */

struct _p_PsdLevel {
  MPI_Comm comm;
  PsdPatchMatrix patches;
  const PsdComponentList *components;
  PetscInt n, G, tile;
  const PetscInt *count, *f;
  PetscInt *K;
  PetscBool complete, pixels; /* pixels: coordinates are the patches' */
  PetscBool kept;
  float **x;        /* G: all samples, or those of a tile */
  float *patch;     /* a tile's patches of one region, for the projection */
  float **E;        /* G: components in single precision, of pixels NULL; the first region of a branch owns them */
  PetscReal **wide; /* G: a tile in double precision, where it is kept in single precision */
  PsdVariance *variance;
  PetscReal *trace; /* G: the variance along all coordinates of the patches together */
};

/* What is done with the tile at hand. */
typedef struct {
  PsdLevel level;
  PsdLevelWork work;
  void *context;
  const void **x;
} Pass;

static const PsdComponents *ComponentsOf(PsdLevel it, PetscInt g)
{
  return &it->components->of[it->components->branch[g]];
}

static void ToSingle(size_t count, const PetscReal from[], float to[])
{
  for (size_t k = 0; k < count; k++) to[k] = (float)from[k];
}

/* to <- `count` samples of region g in the level's coordinates */
static PetscErrorCode Project(PsdLevel it, PetscInt g, PetscInt count, const PetscReal x[], float to[])
{
  PetscFunctionBeginUser;
  const PetscInt rows = count * it->count[g], f = it->f[g];
  if (it->pixels) {
    ToSingle((size_t)rows * f, x, to);
    PetscFunctionReturn(0);
  }
  ToSingle((size_t)rows * f, x, it->patch);
  PetscCall(PsdGemmSingle('T', 'N', it->K[g], rows, f, it->E[g], f, it->patch, f, to, it->K[g]));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- variance */

/* sums of the variance of `samples` x count rows of `width` numbers */
static void AddVariance(PetscInt samples, PetscInt count, PetscInt width, const float x[], PetscReal mean[],
                        PetscReal square[], PetscReal along[])
{
  for (PetscInt i = 0; i < samples; i++) {
    for (PetscInt k = 0; k < width; k++) mean[k] = square[k] = 0;
    for (PetscInt l = 0; l < count; l++, x += width)
      for (PetscInt k = 0; k < width; k++) {
        mean[k] += x[k];
        square[k] += (PetscReal)x[k] * x[k];
      }
    for (PetscInt k = 0; k < width; k++) {
      const PetscReal of_mean = mean[k] * mean[k] / count / count;
      along[k] += of_mean + PetscMax(0, square[k] / count - of_mean) / count;
    }
  }
}

/* The same of patches, all coordinates together. */
static PetscReal TraceOf(PetscInt samples, PetscInt count, PetscInt width, const PetscReal x[], PetscReal mean[])
{
  PetscReal sum = 0;
  for (PetscInt i = 0; i < samples; i++) {
    PetscReal square = 0, of_mean = 0;
    for (PetscInt k = 0; k < width; k++) mean[k] = 0;
    for (PetscInt l = 0; l < count; l++, x += width)
      for (PetscInt k = 0; k < width; k++) {
        mean[k] += x[k];
        square += x[k] * x[k];
      }
    for (PetscInt k = 0; k < width; k++) of_mean += mean[k] * mean[k];
    of_mean /= (PetscReal)count * count;
    sum += of_mean + PetscMax(0, square / count - of_mean) / count;
  }
  return sum;
}

/* While the level is made: where its tiles go, and their variance. */
typedef struct {
  PsdLevel level, parent;
  PetscReal *mean, *square; /* of the longest patch */
} Making;

static PetscErrorCode MakeTile(void *context, PetscInt g, PetscInt first, PetscInt count, const PetscReal x[])
{
  PetscFunctionBeginUser;
  Making *making = context;
  PsdLevel it = making->level;
  float *to = it->x[g] + (it->kept ? (size_t)first * it->count[g] * it->K[g] : 0);
  PetscCall(Project(it, g, count, x, to));
  if (it->pixels) PetscFunctionReturn(0); /* the variance is known */
  AddVariance(count, it->count[g], it->K[g], to, making->mean, making->square, it->variance[g].along);
  it->trace[g] += TraceOf(count, it->count[g], it->f[g], x, making->mean);
  PetscFunctionReturn(0);
}

static PetscErrorCode SumVariance(PsdLevel it)
{
  PetscFunctionBeginUser;
  PetscCall(PsdSumArray(it->comm, MPIU_REAL, (size_t)it->G, it->trace));
  for (PetscInt g = 0; g < it->G; g++) {
    PsdVariance *variance = &it->variance[g];
    PetscReal rest = it->trace[g];
    PetscCall(PsdSumArray(it->comm, MPIU_REAL, (size_t)variance->K, variance->along));
    for (PetscInt k = 0; k < variance->K; k++) rest -= variance->along[k];
    variance->rest = it->f[g] > variance->K ? PetscMax(0, rest) / (PetscReal)(it->f[g] - variance->K) : 0;
  }
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- creation */

static PetscErrorCode CreateComponents(PsdLevel it)
{
  PetscFunctionBeginUser;
  for (PetscInt g = 0; g < it->G; g++) {
    const PsdComponents *components = ComponentsOf(it, g);
    const size_t length = (size_t)it->f[g] * it->K[g];
    it->E[g] = g > 0 && ComponentsOf(it, g - 1) == components ? it->E[g - 1] : NULL;
    if (it->E[g]) continue;
    PetscCall(PetscMalloc1(length, &it->E[g]));
    ToSingle(length, components->E, it->E[g]);
  }
  PetscFunctionReturn(0);
}

/* Sizes that follow from K, and memory for the tiles. */
static PetscErrorCode Allocate(PsdLevel it, size_t memory)
{
  PetscFunctionBeginUser;
  size_t sample = 0, patch = 0;
  for (PetscInt g = 0; g < it->G; g++) {
    sample += (size_t)it->count[g] * it->K[g];
    patch = PetscMax(patch, (size_t)it->count[g] * it->f[g]);
  }
  it->kept = (PetscBool)((size_t)it->n * sample <= memory / sizeof(float));
  it->tile = PsdPatchMatrixGetTile(it->patches);
  const size_t rows = (size_t)(it->kept ? it->n : it->tile);
  for (PetscInt g = 0; g < it->G; g++) PetscCall(PetscMalloc1(rows * it->count[g] * it->K[g], &it->x[g]));
  if (!it->pixels) PetscCall(PetscMalloc1((size_t)it->tile * patch, &it->patch));
  PetscFunctionReturn(0);
}

/* Kept tiles have a size of their own, once they are there. */
static void SetTile(PsdLevel it)
{
  size_t sample = 1; /* never 0 */
  if (!it->kept) return;
  for (PetscInt g = 0; g < it->G; g++) sample += (size_t)it->count[g] * it->K[g];
  it->tile = (PetscInt)PetscMax(1, PetscMin((size_t)it->n, TILE_BYTES / (sample * sizeof(float))));
}

static PetscErrorCode AllocateWide(PsdLevel it)
{
  PetscFunctionBeginUser;
  for (PetscInt g = 0; g < it->G; g++)
    PetscCall(PetscMalloc1((size_t)it->tile * it->count[g] * it->K[g], &it->wide[g]));
  PetscFunctionReturn(0);
}

static PetscErrorCode Make(PsdLevel it, size_t memory)
{
  PetscFunctionBeginUser;
  PetscInt longest = 0;
  Making making = {.level = it};
  PetscCall(Allocate(it, memory));
  for (PetscInt g = 0; g < it->G; g++) longest = PetscMax(longest, it->f[g]);
  PetscCall(PetscMalloc2(longest, &making.mean, longest, &making.square));
  if (it->kept || !it->pixels) PetscCall(PsdPatchMatrixPass(it->patches, MakeTile, &making));
  PetscCall(PetscFree2(making.mean, making.square));
  SetTile(it);
  if (it->kept) PetscCall(PetscFree(it->patch));
  if (!it->complete) PetscCall(AllocateWide(it));
  PetscFunctionReturn(0);
}

static PetscErrorCode Create(MPI_Comm comm, PsdPatchMatrix patches, const PsdComponentList *components, PsdLevel *level)
{
  PetscFunctionBeginUser;
  PsdLevel it;
  PetscCall(PetscNew(&it));
  it->comm = comm;
  it->patches = patches;
  it->components = components;
  PsdPatchMatrixGetSizes(patches, &it->n, &it->G, &it->count, &it->f);
  PetscCall(PetscCalloc6(it->G, &it->K, it->G, &it->x, it->G, &it->E, it->G, &it->wide, it->G, &it->variance, it->G,
                         &it->trace));
  *level = it;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdLevelCreate(MPI_Comm comm, PsdPatchMatrix patches, const PsdComponentList *components, PetscInt K,
                              size_t memory, PsdLevel *level)
{
  PetscFunctionBeginUser;
  PetscCall(Create(comm, patches, components, level));
  PsdLevel it = *level;
  it->complete = PETSC_TRUE;
  for (PetscInt g = 0; g < it->G; g++) {
    const PetscInt all = ComponentsOf(it, g)->K;
    it->K[g] = it->f[g] == all ? all : PetscMin(K, all);
    if (it->K[g] < it->f[g]) it->complete = PETSC_FALSE;
    it->variance[g].K = it->K[g];
    PetscCall(PetscCalloc1(it->K[g], &it->variance[g].along));
  }
  PetscCall(CreateComponents(it));
  PetscCall(Make(it, memory));
  PetscCall(SumVariance(it));
  PetscFunctionReturn(0);
}

/* The variance along the leading directions alone; that of the others counts as the rest. */
static PetscErrorCode ShortenVariance(const PsdVariance *from, PetscInt f, PetscInt directions, PsdVariance *to)
{
  PetscFunctionBeginUser;
  PetscReal rest = from->rest * (PetscReal)(f - from->K);
  to->K = PetscMin(from->K, directions);
  PetscCall(PetscMalloc1(to->K, &to->along));
  PetscCall(PetscArraycpy(to->along, from->along, to->K));
  for (PetscInt k = to->K; k < from->K; k++) rest += from->along[k];
  to->rest = f > to->K ? rest / (PetscReal)(f - to->K) : 0;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdLevelCreateComplete(PsdLevel coarse, PetscInt directions, size_t memory, PsdLevel *level)
{
  PetscFunctionBeginUser;
  PetscCall(Create(coarse->comm, coarse->patches, coarse->components, level));
  PsdLevel it = *level;
  it->complete = it->pixels = PETSC_TRUE;
  for (PetscInt g = 0; g < it->G; g++) {
    it->K[g] = it->f[g];
    PetscCall(ShortenVariance(&coarse->variance[g], it->f[g], directions, &it->variance[g]));
  }
  PetscCall(Make(it, memory));
  PetscFunctionReturn(0);
}

/* The samples in the coordinates of a span, and their variance. */
static PetscErrorCode ProjectTile(void *context, PetscInt first, PetscInt count, const void *const x[])
{
  PetscFunctionBeginUser;
  const Making *making = context;
  PsdLevel it = making->level;
  for (PetscInt g = 0; g < it->G; g++) {
    const PetscInt rows = count * it->count[g], of_parent = making->parent->K[g];
    float *to = it->x[g] + (size_t)first * it->count[g] * it->K[g];
    PetscCall(PsdGemmSingle('T', 'N', it->K[g], rows, of_parent, it->E[g], of_parent, x[g], of_parent, to, it->K[g]));
    AddVariance(count, it->count[g], it->K[g], to, making->mean, making->square, it->variance[g].along);
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PsdLevelCreateSpan(PsdLevel parent, const PetscInt K[], PetscReal *const B[], PsdLevel *level)
{
  PetscFunctionBeginUser;
  PetscInt longest = 0;
  PetscCall(Create(parent->comm, parent->patches, parent->components, level));
  PsdLevel it = *level;
  it->kept = PETSC_TRUE;
  for (PetscInt g = 0; g < it->G; g++) {
    it->K[g] = it->variance[g].K = K[g];
    longest = PetscMax(longest, K[g]);
    PetscCall(PetscCalloc1(K[g], &it->variance[g].along));
    PetscCall(PetscMalloc1((size_t)parent->K[g] * K[g], &it->E[g]));
    ToSingle((size_t)parent->K[g] * K[g], B[g], it->E[g]);
    PetscCall(PetscMalloc1((size_t)it->n * it->count[g] * K[g], &it->x[g]));
  }
  Making making = {.level = it, .parent = parent};
  PetscCall(PetscMalloc2(longest, &making.mean, longest, &making.square));
  PetscCall(PsdLevelPass(parent, ProjectTile, &making));
  PetscCall(PetscFree2(making.mean, making.square));
  PetscCall(SumVariance(it)); /* nothing is known of a trace, and the rest is none */
  SetTile(it);
  PetscCall(AllocateWide(it));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdLevelDestroy(PsdLevel *level)
{
  PetscFunctionBeginUser;
  PsdLevel it = *level;
  if (!it) PetscFunctionReturn(0);
  for (PetscInt g = it->G - 1; g >= 0; g--) {
    PetscCall(PetscFree(it->x[g]));
    PetscCall(PetscFree(it->wide[g]));
    PetscCall(PetscFree(it->variance[g].along));
    if (g == 0 || it->E[g] != it->E[g - 1]) PetscCall(PetscFree(it->E[g]));
  }
  PetscCall(PetscFree(it->patch));
  PetscCall(PetscFree6(it->K, it->x, it->E, it->wide, it->variance, it->trace));
  PetscCall(PetscFree(*level));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdLevelGetComm(PsdLevel level, MPI_Comm *comm)
{
  PetscFunctionBeginUser;
  *comm = level->comm;
  PetscFunctionReturn(0);
}

PetscBool PsdLevelIsComplete(PsdLevel level)
{
  return level->complete;
}

void PsdLevelGetSizes(PsdLevel level, PetscInt *n, PetscInt *G, const PetscInt *K[], const PetscInt *count[])
{
  if (n) *n = level->n;
  if (G) *G = level->G;
  if (K) *K = level->K;
  if (count) *count = level->count;
}

PetscInt PsdLevelGetTile(PsdLevel level)
{
  return PetscMax(level->tile, PsdPatchMatrixGetTile(level->patches));
}

const PsdVariance *PsdLevelGetVariance(PsdLevel level, PetscInt g, const PetscReal *E[])
{
  *E = level->pixels ? ComponentsOf(level, g)->E : NULL;
  return &level->variance[g];
}

/* ---------------------------------------------------------------- passes */

/* Tiles that were kept, in single precision or made wide. */
static PetscErrorCode PassKept(Pass *pass, PetscBool wide)
{
  PetscFunctionBeginUser;
  PsdLevel it = pass->level;
  for (PetscInt first = 0; first < it->n; first += it->tile) {
    const PetscInt count = PetscMin(it->tile, it->n - first);
    for (PetscInt g = 0; g < it->G; g++) {
      const float *x = it->x[g] + (size_t)first * it->count[g] * it->K[g];
      pass->x[g] = x;
      if (!wide) continue;
      for (size_t k = 0; k < (size_t)count * it->count[g] * it->K[g]; k++) it->wide[g][k] = x[k];
      pass->x[g] = it->wide[g];
    }
    PetscCall((*pass->work)(pass->context, first, count, pass->x));
  }
  PetscFunctionReturn(0);
}

/* A tile is complete with its last region; the patches of the others are still there. */
static PetscErrorCode CutSingle(void *context, PetscInt g, PetscInt first, PetscInt count, const PetscReal x[])
{
  PetscFunctionBeginUser;
  Pass *pass = context;
  PsdLevel it = pass->level;
  PetscCall(Project(it, g, count, x, it->x[g]));
  pass->x[g] = it->x[g];
  if (g == it->G - 1) PetscCall((*pass->work)(pass->context, first, count, pass->x));
  PetscFunctionReturn(0);
}

static PetscErrorCode CutWide(void *context, PetscInt g, PetscInt first, PetscInt count, const PetscReal x[])
{
  PetscFunctionBeginUser;
  Pass *pass = context;
  PsdLevel it = pass->level;
  PetscCall(Project(it, g, count, x, it->x[g]));
  for (size_t k = 0; k < (size_t)count * it->count[g] * it->K[g]; k++) it->wide[g][k] = it->x[g][k];
  pass->x[g] = it->wide[g];
  if (g == it->G - 1) PetscCall((*pass->work)(pass->context, first, count, pass->x));
  PetscFunctionReturn(0);
}

static PetscErrorCode PassOn(void *context, PetscInt g, PetscInt first, PetscInt count, const PetscReal x[])
{
  PetscFunctionBeginUser;
  Pass *pass = context;
  pass->x[g] = x;
  if (g == pass->level->G - 1) PetscCall((*pass->work)(pass->context, first, count, pass->x));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdLevelPass(PsdLevel it, PsdLevelWork work, void *context)
{
  PetscFunctionBeginUser;
  Pass pass = {it, work, context, NULL};
  PetscCall(PetscMalloc1(it->G, &pass.x));
  if (it->kept) PetscCall(PassKept(&pass, PETSC_FALSE));
  else PetscCall(PsdPatchMatrixPass(it->patches, CutSingle, &pass));
  PetscCall(PetscFree(pass.x));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdLevelPassDouble(PsdLevel it, PsdLevelWork work, void *context)
{
  PetscFunctionBeginUser;
  Pass pass = {it, work, context, NULL};
  PetscCall(PetscMalloc1(it->G, &pass.x));
  if (it->complete) PetscCall(PsdPatchMatrixPass(it->patches, PassOn, &pass));
  else if (it->kept) PetscCall(PassKept(&pass, PETSC_TRUE));
  else PetscCall(PsdPatchMatrixPass(it->patches, CutWide, &pass));
  PetscCall(PetscFree(pass.x));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- filters */

PetscErrorCode PsdLevelToPatches(PsdLevel it, PetscInt g, PetscInt count, const PetscReal V[], PetscInt ldv,
                                 PetscReal U[], PetscInt ldu)
{
  PetscFunctionBeginUser;
  const PetscInt f = it->f[g];
  if (it->pixels)
    for (PetscInt j = 0; j < count; j++) PetscCall(PetscArraycpy(U + (size_t)j * ldu, V + (size_t)j * ldv, f));
  else PetscCall(PsdGemmDouble('N', 'N', f, count, it->K[g], ComponentsOf(it, g)->E, f, V, ldv, U, ldu));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdLevelFromPatches(PsdLevel it, PetscInt g, PetscInt count, const PetscReal U[], PetscInt ldu,
                                   PetscReal V[], PetscInt ldv)
{
  PetscFunctionBeginUser;
  const PetscInt f = it->f[g];
  if (it->pixels)
    for (PetscInt j = 0; j < count; j++) PetscCall(PetscArraycpy(V + (size_t)j * ldv, U + (size_t)j * ldu, f));
  else PetscCall(PsdGemmDouble('T', 'N', it->K[g], count, f, ComponentsOf(it, g)->E, f, U, ldu, V, ldv));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdLevelMove(PsdLevel from, PsdLevel to, PsdColumns *columns)
{
  PetscFunctionBeginUser;
  PsdColumns moved;
  PetscCall(PsdColumnsCreate(columns->G, columns->C, to->K, columns->count, columns->block, &moved));
  for (PetscInt g = 0; g < columns->G; g++) {
    const PetscInt first = columns->first[g], count = columns->first[g + 1] - first, f = from->f[g];
    const PetscInt ldv = from->K[g] + 1, ldu = to->K[g] + 1;
    PetscReal *patches, *V = columns->F + columns->at[first], *U = moved.F + moved.at[first];
    if (count == 0) continue;
    PetscCall(PetscMalloc1((size_t)f * count, &patches));
    PetscCall(PsdLevelToPatches(from, g, count, V, ldv, patches, f));
    PetscCall(PsdLevelFromPatches(to, g, count, patches, f, U, ldu));
    for (PetscInt j = 0; j < count; j++) U[(size_t)(j + 1) * ldu - 1] = V[(size_t)(j + 1) * ldv - 1];
    PetscCall(PetscFree(patches));
  }
  PsdColumnsRetract(&moved, moved.F); /* what the new level has not is lost */
  PetscCall(PsdColumnsDestroy(columns));
  *columns = moved;
  PetscFunctionReturn(0);
}

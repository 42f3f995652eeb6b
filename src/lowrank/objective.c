/*
   Passes over the samples: forward products P = X V of all columns of a region, scores, what the loss makes of them, and
   backward products X'T. Nothing that is as large as the patches is written; P is kept in single precision for the
   Hessian.

     yhat = sum over columns of s mean of (a P^2 + b w P + c w^2)
     gradient:  X' s L' (2 a P + b w)/count,   sum of s L' mean of (b P + 2 c w) + 2 beta w
     Hessian:   dyhat = sum of s mean of (g dP + h dw),   g = 2 a P + b w,   h = b P + 2 c w
                X' s (L'' dyhat g + L' (2 a dP + b dw))/count,   sum of s mean of (L'' dyhat h + L' (b dP + 2 c dw)) + 2 beta dw
*/
#include "objective.h"
#include "base/base.h"
#include "base/gemm.h"

struct _p_PsdObjective {
  PsdProblem problem;
  PsdLevel level;
  const PsdColumns *columns;
  PetscReal beta;
  PetscInt n, G, C, tile;
  const PetscInt *K, *count;          /* of the level */
  PetscReal *Y, *yhat, *slope;        /* C x n */
  float **P;                          /* G: column by column, for all patches of the region here */
  void **products;                    /* G: (tile count_g) x columns */
  void **V, **part;                   /* G: K x columns, in either precision */
  PetscInt *list, *of_region;         /* active columns, region after region: G + 1 */
  PetscReal *tile_scores, *tile_work; /* tile x C, row-major, of losses whose scores belong together; C x tile */
  PetscBool *all;                     /* C times PETSC_TRUE */
  PetscReal *sums;                    /* what is summed over ranks: values of groups, then columns */
  PetscReal *rotated;                 /* F in the patches' coordinates */
  PsdObjectiveCounts counts;
};

/* One pass. */
typedef struct {
  PsdObjective it;
  const PsdPrecisionOps *precision;
  const PetscBool *active;
  const PetscReal *F, *direction; /* of active columns alone, packed: see Gather */
  PetscReal *value;               /* groups */
  PetscReal *gradient;            /* of active columns alone */
} Pass;

static PetscBool IsSeparable(PsdObjective it)
{
  return it->problem->loss.ops->separable;
}

PetscInt PsdObjectiveGroups(PsdObjective it)
{
  return IsSeparable(it) ? it->C : 1;
}

PetscInt PsdObjectiveGroupOf(PsdObjective it, PetscInt column)
{
  return IsSeparable(it) ? PsdBlockClass(it->columns, it->columns->block[column]) : 0;
}

PsdObjectiveCounts PsdObjectiveGetCounts(PsdObjective it)
{
  return it->counts;
}

const PetscReal *PsdObjectiveGetSlope(PsdObjective it)
{
  return it->slope;
}

const PetscReal *PsdObjectiveGetScores(PsdObjective it)
{
  return it->yhat;
}

/* ---------------------------------------------------------------- creation */

PetscErrorCode PsdObjectiveCreate(PsdProblem problem, PsdObjective *objective)
{
  PetscFunctionBeginUser;
  PsdObjective it;
  PetscCall(PetscNew(&it));
  it->problem = problem;
  it->n = problem->n_local;
  it->C = problem->blocks->C;
  it->G = problem->blocks->G;
  const size_t length = (size_t)it->n * it->C;
  PetscCall(PetscCalloc3(length, &it->Y, length, &it->yhat, length, &it->slope));
  for (PetscInt i = 0; i < it->n; i++)
    for (PetscInt t = 0; t < it->C; t++) it->Y[(size_t)t * it->n + i] = problem->Y[(size_t)i * it->C + t];
  PetscCall(
      PetscCalloc5(it->G, &it->P, it->G, &it->products, it->G, &it->V, it->G, &it->part, it->G + 1, &it->of_region));
  PetscCall(PetscMalloc1(it->C, &it->all));
  for (PetscInt t = 0; t < it->C; t++) it->all[t] = PETSC_TRUE;
  *objective = it;
  PetscFunctionReturn(0);
}

static PetscErrorCode FreeColumns(PsdObjective it)
{
  PetscFunctionBeginUser;
  for (PetscInt g = 0; g < it->G; g++) {
    PetscCall(PetscFree(it->P[g]));
    PetscCall(PetscFree(it->products[g]));
    PetscCall(PetscFree(it->V[g]));
    PetscCall(PetscFree(it->part[g]));
  }
  PetscCall(PetscFree(it->list));
  PetscCall(PetscFree3(it->tile_scores, it->tile_work, it->sums));
  PetscCall(PetscFree(it->rotated));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdObjectiveDestroy(PsdObjective *objective)
{
  PetscFunctionBeginUser;
  PsdObjective it = *objective;
  if (!it) PetscFunctionReturn(0);
  PetscCall(FreeColumns(it));
  PetscCall(PetscFree3(it->Y, it->yhat, it->slope));
  PetscCall(PetscFree(it->all));
  PetscCall(PetscFree5(it->P, it->products, it->V, it->part, it->of_region));
  PetscCall(PetscFree(*objective));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdObjectiveSet(PsdObjective it, PsdLevel level, const PsdColumns *columns, PetscReal beta)
{
  PetscFunctionBeginUser;
  size_t length = columns->at[columns->count];
  PetscCall(FreeColumns(it));
  it->level = level;
  it->columns = columns;
  it->beta = beta;
  PsdLevelGetSizes(level, NULL, NULL, &it->K, &it->count);
  it->tile = PsdLevelGetTile(level);
  for (PetscInt g = 0; g < it->G; g++) {
    const size_t r = (size_t)(columns->first[g + 1] - columns->first[g]), K = (size_t)it->K[g];
    PetscCall(PetscMalloc1((size_t)it->n * it->count[g] * r, &it->P[g]));
    PetscCall(PetscMalloc((size_t)it->tile * it->count[g] * r * sizeof(PetscReal), &it->products[g]));
    PetscCall(PetscMalloc(K * r * sizeof(PetscReal), &it->V[g]));
    PetscCall(PetscMalloc(K * r * sizeof(PetscReal), &it->part[g]));
  }
  PetscCall(PetscMalloc1(columns->count, &it->list));
  PetscCall(PetscMalloc3((size_t)it->tile * it->C * 4, &it->tile_scores, (size_t)it->tile * it->C, &it->tile_work,
                         (size_t)PsdObjectiveGroups(it) + length, &it->sums));
  PetscCall(PetscMalloc1(2 * length, &it->rotated));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- active columns */

/* The list of active columns, and their F one after the other in `packed`. */
static PetscErrorCode Gather(PsdObjective it, const PetscBool active[], const PetscReal F[], PetscReal packed[])
{
  PetscFunctionBeginUser;
  const PsdColumns *columns = it->columns;
  PetscInt count = 0;
  size_t at = 0;
  for (PetscInt g = 0; g < it->G; g++) {
    it->of_region[g] = count;
    for (PetscInt j = columns->first[g]; j < columns->first[g + 1]; j++) {
      if (!active[PsdObjectiveGroupOf(it, j)]) continue;
      const size_t d = columns->at[j + 1] - columns->at[j];
      PetscCall(PetscArraycpy(packed + at, F + columns->at[j], d));
      it->list[count++] = j;
      at += d;
    }
  }
  it->of_region[it->G] = count;
  PetscFunctionReturn(0);
}

/* Sums over ranks: values of active groups, and active columns. */
static PetscErrorCode Reduce(PsdObjective it, PetscInt values, PetscReal sums[])
{
  PetscFunctionBeginUser;
  size_t length = (size_t)values;
  for (PetscInt g = 0; g < it->G; g++) length += (size_t)(it->of_region[g + 1] - it->of_region[g]) * (it->K[g] + 1);
  PetscCall(PsdSumArray(it->problem->comm, MPIU_REAL, length, sums));
  PetscFunctionReturn(0);
}

/* Active columns back to their places. */
static PetscErrorCode ScatterColumns(PsdObjective it, const PetscReal packed[], PetscReal to[])
{
  PetscFunctionBeginUser;
  const PsdColumns *columns = it->columns;
  for (PetscInt k = 0; k < it->of_region[it->G]; k++) {
    const size_t at = columns->at[it->list[k]], d = columns->at[it->list[k] + 1] - at;
    PetscCall(PetscArraycpy(to + at, packed, d));
    packed += d;
  }
  PetscFunctionReturn(0);
}

static PsdColumnScale ScaleOf(PsdObjective it, PetscInt g, PetscInt column)
{
  const PetscReal *activation = it->problem->activation;
  return (PsdColumnScale){activation[0], activation[1], activation[2],
                          PsdBlockSign(it->columns->block[column]) / (PetscReal)it->count[g]};
}

/* Scores of class t of the samples from `first` on. */
static PetscReal *Plane(PsdObjective it, PetscReal *planes, PetscInt column, PetscInt first)
{
  return planes + (size_t)PsdBlockClass(it->columns, it->columns->block[column]) * it->n + first;
}

/* ---------------------------------------------------------------- the loss of a tile */

/* C planes of a larger array to rows of C, and back. */
static void ToRows(PsdObjective it, const PetscReal planes[], size_t ld, PetscInt count, PetscReal rows[])
{
  for (PetscInt t = 0; t < it->C; t++)
    for (PetscInt i = 0; i < count; i++) rows[(size_t)i * it->C + t] = planes[t * ld + (size_t)i];
}
static void FromRows(PsdObjective it, const PetscReal rows[], PetscInt count, size_t ld, PetscReal planes[])
{
  for (PetscInt t = 0; t < it->C; t++)
    for (PetscInt i = 0; i < count; i++) planes[t * ld + (size_t)i] = rows[(size_t)i * it->C + t];
}

/* value += loss of a tile, and its slopes, for active groups */
static void LossOfTile(PsdObjective it, const PetscBool active[], PetscInt first, PetscInt count, PetscReal value[])
{
  const PsdLoss *loss = &it->problem->loss;
  const size_t n = (size_t)it->n, length = (size_t)count * it->C;
  PetscReal *yhat = it->tile_scores, *y = yhat + length, *nu = y + length;
  const PetscReal *weights = PsdWeightsFrom(it->problem->weights, first);
  if (!IsSeparable(it)) {
    ToRows(it, it->yhat + first, n, count, yhat);
    ToRows(it, it->Y + first, n, count, y);
    value[0] += PsdWeightedValue(loss, count, it->C, weights, yhat, y);
    (*loss->ops->dual_point)(loss, count, it->C, yhat, y, nu);
    PsdWeightRows(count, it->C, weights, nu);
    for (size_t k = 0; k < length; k++) nu[k] = -nu[k];
    FromRows(it, nu, count, n, it->slope + first);
    return;
  }
  for (PetscInt t = 0; t < it->C; t++) {
    if (!active[t]) continue;
    const size_t at = (size_t)t * n + (size_t)first;
    value[t] += PsdWeightedValue(loss, count, 1, weights, it->yhat + at, it->Y + at);
    (*loss->ops->dual_point)(loss, count, 1, it->yhat + at, it->Y + at, it->slope + at);
    PsdWeightRows(count, 1, weights, it->slope + at);
    for (PetscInt i = 0; i < count; i++) it->slope[at + (size_t)i] = -it->slope[at + (size_t)i];
  }
}

/* L'' times a direction of the scores of a tile, C planes of `count`, in place */
static void SecondOfTile(PsdObjective it, const PetscBool active[], PetscInt first, PetscInt count,
                         PetscReal direction[])
{
  const PsdLoss *loss = &it->problem->loss;
  const size_t n = (size_t)it->n, length = (size_t)count * it->C;
  PetscReal *yhat = it->tile_scores, *y = yhat + length, *rows = y + length, *product = rows + length;
  const PetscReal *weights = PsdWeightsFrom(it->problem->weights, first);
  if (!IsSeparable(it)) {
    ToRows(it, it->yhat + first, n, count, yhat);
    ToRows(it, it->Y + first, n, count, y);
    ToRows(it, direction, (size_t)count, count, rows);
    (*loss->ops->second)(loss, count, it->C, yhat, y, rows, product);
    PsdWeightRows(count, it->C, weights, product);
    FromRows(it, product, count, (size_t)count, direction);
    return;
  }
  for (PetscInt t = 0; t < it->C; t++) {
    const size_t at = (size_t)t * n + (size_t)first;
    PetscReal *own = direction + (size_t)t * count;
    if (!active[t]) continue;
    (*loss->ops->second)(loss, count, 1, it->yhat + at, it->Y + at, own, own);
    PsdWeightRows(count, 1, weights, own);
  }
}

void PsdObjectiveSecond(PsdObjective it, PetscInt t, PetscInt first, PetscInt count, PetscReal second[])
{
  PetscReal *unit = it->tile_work;
  for (PetscInt done = 0; done < count; done += it->tile) {
    const PetscInt some = PetscMin(it->tile, count - done);
    for (PetscInt k = 0; k < some * it->C; k++) unit[k] = k / some == t ? 1 : 0;
    SecondOfTile(it, it->all, first + done, some, unit);
    for (PetscInt i = 0; i < some; i++) second[done + i] = unit[(size_t)t * some + i];
  }
}

/* ---------------------------------------------------------------- value and gradient */

/* Adds the scores of region g's active columns; its products stay in it->products. */
static PetscErrorCode Forward(Pass *pass, PetscInt g, PetscInt first, PetscInt count, const void *x,
                              const PetscReal F[])
{
  PetscFunctionBeginUser;
  PsdObjective it = pass->it;
  const PetscInt rows = count * it->count[g], K = it->K[g], begin = it->of_region[g], end = it->of_region[g + 1];
  const size_t stride = (size_t)rows * pass->precision->size;
  PetscCall((*pass->precision->gemm)('T', 'N', rows, end - begin, K, x, K, it->V[g], K, it->products[g], rows));
  for (PetscInt k = begin; k < end; k++, F += K + 1) {
    const PetscInt j = it->list[k];
    const char *p = (const char *)it->products[g] + (size_t)(k - begin) * stride;
    float *kept = it->P[g] + ((size_t)(j - it->columns->first[g]) * it->n + (size_t)first) * it->count[g];
    (*pass->precision->add_scores)(count, it->count[g], ScaleOf(it, g, j), F[K], p, Plane(it, it->yhat, j, first));
    (*pass->precision->keep)(rows, p, kept);
  }
  PetscFunctionReturn(0);
}

/* gradient += region g's part */
static PetscErrorCode Backward(Pass *pass, PetscInt g, PetscInt first, PetscInt count, const void *x,
                               const PetscReal F[], PetscReal gradient[])
{
  PetscFunctionBeginUser;
  PsdObjective it = pass->it;
  const PetscInt rows = count * it->count[g], K = it->K[g], begin = it->of_region[g], end = it->of_region[g + 1];
  const size_t stride = (size_t)rows * pass->precision->size;
  for (PetscInt k = begin; k < end; k++, F += K + 1) {
    const PetscInt j = it->list[k];
    char *p = (char *)it->products[g] + (size_t)(k - begin) * stride;
    gradient[(size_t)(k - begin + 1) * (K + 1) - 1] +=
        (*pass->precision->slopes)(count, it->count[g], ScaleOf(it, g, j), F[K], Plane(it, it->slope, j, first), p);
  }
  PetscCall((*pass->precision->gemm)('N', 'N', K, end - begin, rows, x, K, it->products[g], rows, it->part[g], K));
  (*pass->precision->unpack_add)(K, end - begin, it->part[g], gradient);
  PetscFunctionReturn(0);
}

static PetscErrorCode EvaluateTile(void *context, PetscInt first, PetscInt count, const void *const x[])
{
  PetscFunctionBeginUser;
  Pass *pass = context;
  PsdObjective it = pass->it;
  const PetscReal *F = pass->F;
  PetscReal *gradient = pass->gradient;
  for (PetscInt t = 0; t < it->C; t++)
    if (pass->active[IsSeparable(it) ? t : 0]) PetscCall(PetscArrayzero(it->yhat + (size_t)t * it->n + first, count));
  for (PetscInt g = 0; g < it->G; g++) {
    PetscCall(Forward(pass, g, first, count, x[g], F));
    F += (size_t)(it->of_region[g + 1] - it->of_region[g]) * (it->K[g] + 1);
  }
  LossOfTile(it, pass->active, first, count, pass->value);
  F = pass->F;
  for (PetscInt g = 0; g < it->G; g++) {
    const size_t length = (size_t)(it->of_region[g + 1] - it->of_region[g]) * (it->K[g] + 1);
    PetscCall(Backward(pass, g, first, count, x[g], F, gradient));
    F += length;
    gradient += length;
  }
  PetscFunctionReturn(0);
}

/* Active columns from the level's coordinates to the patches', or back; both have the same length. */
static PetscErrorCode Rotate(PsdObjective it, PetscBool to_patches, const PetscReal from[], PetscReal to[])
{
  PetscFunctionBeginUser;
  for (PetscInt g = 0; g < it->G; g++) {
    const PetscInt count = it->of_region[g + 1] - it->of_region[g], d = it->K[g] + 1;
    if (count > 0 && to_patches) PetscCall(PsdLevelToPatches(it->level, g, count, from, d, to, d));
    else if (count > 0) PetscCall(PsdLevelFromPatches(it->level, g, count, from, d, to, d));
    for (PetscInt j = 1; j <= count; j++) to[(size_t)j * d - 1] = from[(size_t)j * d - 1];
    from += (size_t)count * d;
    to += (size_t)count * d;
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode PackAll(Pass *pass, const PetscReal F[])
{
  PetscFunctionBeginUser;
  PsdObjective it = pass->it;
  for (PetscInt g = 0; g < it->G; g++) {
    const PetscInt count = it->of_region[g + 1] - it->of_region[g];
    (*pass->precision->pack)(it->K[g], count, F, it->V[g]);
    F += (size_t)count * (it->K[g] + 1);
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PsdObjectiveEvaluate(PsdObjective it, PetscBool precise, const PetscBool active[], const PetscReal F[],
                                    PetscReal value[], PetscReal gradient[])
{
  PetscFunctionBeginUser;
  const PetscInt groups = PsdObjectiveGroups(it);
  const PetscBool rotate = (PetscBool)(precise && PsdLevelIsComplete(it->level));
  const size_t length = it->columns->at[it->columns->count];
  PetscReal *packed = it->rotated, *other = packed + length, *sums = it->sums;
  PetscCall(PsdEventBegin(PSD_EVENT_MULTIPLY));
  PetscCall(Gather(it, active, F, packed));
  if (rotate) PetscCall(Rotate(it, PETSC_TRUE, packed, other));
  Pass pass = {.it = it,
               .precision = precise ? &PsdDouble : &PsdSingle,
               .active = active,
               .F = rotate ? other : packed,
               .value = sums,
               .gradient = sums + groups};
  PetscCall(PetscArrayzero(sums, (size_t)groups + length));
  PetscCall(PackAll(&pass, pass.F));
  if (precise) PetscCall(PsdLevelPassDouble(it->level, EvaluateTile, &pass));
  else PetscCall(PsdLevelPass(it->level, EvaluateTile, &pass));
  PetscCall(Reduce(it, groups, sums));
  if (rotate) PetscCall(Rotate(it, PETSC_FALSE, pass.gradient, packed));
  PetscCall(ScatterColumns(it, rotate ? packed : pass.gradient, gradient));
  for (PetscInt k = 0; k < groups; k++)
    if (active[k]) value[k] = sums[k];
  for (PetscInt k = 0; k < it->of_region[it->G]; k++) {
    const PetscInt j = it->list[k];
    const size_t last = it->columns->at[j + 1] - 1;
    value[PsdObjectiveGroupOf(it, j)] += it->beta * F[last] * F[last];
    gradient[last] += 2 * it->beta * F[last];
  }
  it->counts.evaluations++;
  PetscCall(PsdEventEnd(PSD_EVENT_MULTIPLY));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- Hessian */

/* dyhat += what a column's dP and dw change: factor sum over patches of (g dP + h dw) */
static void AddChange(PetscInt samples, PetscInt count, PsdColumnScale scale, PetscReal w, PetscReal dw, const float *p,
                      const float *dp, PetscReal dyhat[])
{
  const float twice = (float)(2 * scale.a), linear = (float)(scale.b * w), mixed = (float)(scale.b * dw);
  const PetscReal constant = 2 * scale.c * w * dw * (PetscReal)count;
  for (PetscInt i = 0; i < samples; i++, p += count, dp += count) {
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (PetscInt l = 0; l < count; l++) sum += (twice * p[l] + linear) * dp[l] + mixed * p[l];
    dyhat[i] += scale.factor * ((PetscReal)sum + constant);
  }
}

/* dp becomes factor (change g + slope (2 a dP + b dw)); returns factor sum of (change h + slope (b dP + 2 c dw)) */
static PetscReal Changes(PetscInt samples, PetscInt count, PsdColumnScale scale, PetscReal w, PetscReal dw,
                         const float *p, const PetscReal slope[], const PetscReal change[], float *dp)
{
  const float twice = (float)(2 * scale.a), linear = (float)(scale.b * w), mixed = (float)(scale.b * dw);
  PetscReal of_w = 0;
  for (PetscInt i = 0; i < samples; i++, p += count, dp += count) {
    const float along = (float)(scale.factor * change[i]), weight = (float)(scale.factor * slope[i]);
    float sum_p = 0, sum_dp = 0;
#pragma omp simd reduction(+ : sum_p, sum_dp)
    for (PetscInt l = 0; l < count; l++) {
      sum_p += p[l];
      sum_dp += dp[l];
      dp[l] = along * (twice * p[l] + linear) + weight * (twice * dp[l] + mixed);
    }
    of_w += scale.factor * (change[i] * (scale.b * (PetscReal)sum_p + 2 * scale.c * w * (PetscReal)count) +
                            slope[i] * (scale.b * (PetscReal)sum_dp + 2 * scale.c * dw * (PetscReal)count));
  }
  return of_w;
}

static const float *KeptProducts(PsdObjective it, PetscInt g, PetscInt column, PetscInt first)
{
  return it->P[g] + ((size_t)(column - it->columns->first[g]) * it->n + (size_t)first) * it->count[g];
}

static PetscReal WeightOf(const PsdColumns *columns, const PetscReal F[], PetscInt column)
{
  return F[columns->at[column + 1] - 1];
}

/* The direction's products with region g, and what they change of the scores, C planes of `count`. */
static PetscErrorCode ForwardDirection(Pass *pass, PetscInt g, PetscInt first, PetscInt count, const void *x,
                                       const PetscReal d[], PetscReal dyhat[])
{
  PetscFunctionBeginUser;
  PsdObjective it = pass->it;
  const PetscInt rows = count * it->count[g], K = it->K[g], begin = it->of_region[g], end = it->of_region[g + 1];
  PetscCall(PsdGemmSingle('T', 'N', rows, end - begin, K, x, K, it->V[g], K, it->products[g], rows));
  for (PetscInt k = begin; k < end; k++, d += K + 1) {
    const PetscInt j = it->list[k];
    AddChange(count, it->count[g], ScaleOf(it, g, j), WeightOf(it->columns, pass->F, j), d[K],
              KeptProducts(it, g, j, first), (const float *)it->products[g] + (size_t)(k - begin) * rows,
              dyhat + (size_t)PsdBlockClass(it->columns, it->columns->block[j]) * count);
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode BackwardDirection(Pass *pass, PetscInt g, PetscInt first, PetscInt count, const void *x,
                                        const PetscReal d[], const PetscReal change[], PetscReal product[])
{
  PetscFunctionBeginUser;
  PsdObjective it = pass->it;
  const PetscInt rows = count * it->count[g], K = it->K[g], begin = it->of_region[g], end = it->of_region[g + 1];
  for (PetscInt k = begin; k < end; k++, d += K + 1) {
    const PetscInt j = it->list[k];
    product[(size_t)(k - begin + 1) * (K + 1) - 1] += Changes(
        count, it->count[g], ScaleOf(it, g, j), WeightOf(it->columns, pass->F, j), d[K], KeptProducts(it, g, j, first),
        Plane(it, it->slope, j, first), change + (size_t)PsdBlockClass(it->columns, it->columns->block[j]) * count,
        (float *)it->products[g] + (size_t)(k - begin) * rows);
  }
  PetscCall(PsdGemmSingle('N', 'N', K, end - begin, rows, x, K, it->products[g], rows, it->part[g], K));
  (*PsdSingle.unpack_add)(K, end - begin, it->part[g], product);
  PetscFunctionReturn(0);
}

static PetscErrorCode HessianTile(void *context, PetscInt first, PetscInt count, const void *const x[])
{
  PetscFunctionBeginUser;
  Pass *pass = context;
  PsdObjective it = pass->it;
  const PetscReal *d = pass->direction;
  PetscReal *product = pass->gradient, *change = it->tile_work;
  PetscCall(PetscArrayzero(change, (size_t)count * it->C));
  for (PetscInt g = 0; g < it->G; g++) {
    PetscCall(ForwardDirection(pass, g, first, count, x[g], d, change));
    d += (size_t)(it->of_region[g + 1] - it->of_region[g]) * (it->K[g] + 1);
  }
  SecondOfTile(it, pass->active, first, count, change);
  d = pass->direction;
  for (PetscInt g = 0; g < it->G; g++) {
    const size_t length = (size_t)(it->of_region[g + 1] - it->of_region[g]) * (it->K[g] + 1);
    PetscCall(BackwardDirection(pass, g, first, count, x[g], d, change, product));
    d += length;
    product += length;
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PsdObjectiveHessian(PsdObjective it, const PetscBool active[], const PetscReal F[],
                                   const PetscReal direction[], PetscReal product[])
{
  PetscFunctionBeginUser;
  const size_t length = it->columns->at[it->columns->count];
  PetscReal *packed = it->rotated;
  PetscCall(PsdEventBegin(PSD_EVENT_MULTIPLY));
  PetscCall(Gather(it, active, direction, packed));
  Pass pass = {.it = it, .precision = &PsdSingle, .active = active, .F = F, .direction = packed, .gradient = it->sums};
  PetscCall(PetscArrayzero(it->sums, length));
  PetscCall(PackAll(&pass, packed));
  PetscCall(PsdLevelPass(it->level, HessianTile, &pass));
  PetscCall(Reduce(it, 0, it->sums));
  PetscCall(ScatterColumns(it, it->sums, product));
  for (PetscInt k = 0; k < it->of_region[it->G]; k++) {
    const size_t last = it->columns->at[it->list[k] + 1] - 1;
    product[last] += 2 * it->beta * direction[last];
  }
  it->counts.products++;
  it->counts.columns += (PetscLogDouble)it->of_region[it->G] / PetscMax(1, it->columns->count);
  PetscCall(PsdEventEnd(PSD_EVENT_MULTIPLY));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- what the preconditioner is made of */

/* Columns first .. first+count-1 of region g are those of one class. */
static PetscInt EndOfClass(const PsdColumns *columns, PetscInt g, PetscInt j)
{
  PetscInt end = j;
  while (end < columns->first[g + 1] && columns->block[end] / 2 == columns->block[j] / 2) end++;
  return end;
}

/* V += region g's part for the columns from j to end, of one class; the means of h go to `means`, `count` a column */
static PetscErrorCode AddGram(PsdObjective it, PetscInt g, PetscInt j, PetscInt end, PetscInt first, PetscInt count,
                              const PetscReal F[], const PetscReal second[], float *scaled, float *small, float *means,
                              PetscReal V[])
{
  PetscFunctionBeginUser;
  const PetscInt rows = count * it->count[g], r = end - j, patches = it->count[g];
  const PetscReal *activation = it->problem->activation;
  for (PetscInt k = j; k < end; k++) {
    const PetscReal w = WeightOf(it->columns, F, k), sign = PsdBlockSign(it->columns->block[k]);
    const float *p = KeptProducts(it, g, k, first);
    float *to = scaled + (size_t)(k - j) * rows, *mean = means + (size_t)k * count;
    for (PetscInt i = 0; i < count; i++, p += patches, to += patches) {
      const float root = (float)(sign * PetscSqrtReal(second[i] / patches));
      PetscReal sum = 0;
      for (PetscInt l = 0; l < patches; l++) {
        to[l] = root * (float)(2 * activation[0] * p[l] + activation[1] * w);
        sum += p[l];
      }
      mean[i] = (float)(sign * PetscSqrtReal(second[i]) * (activation[1] * sum / patches + 2 * activation[2] * w));
    }
  }
  PetscCall(PsdSyrkSingle('T', r, rows, scaled, rows, small, r));
  for (PetscInt l = 0; l < r; l++)
    for (PetscInt i = 0; i <= l; i++)
      V[(size_t)(j + l) * it->columns->count + j + i] += small[(size_t)l * r + i] / (PetscReal)it->problem->n;
  PetscFunctionReturn(0);
}

/* W += products of the means of h, for all columns of class t, which `member` lists */
static PetscErrorCode AddMeans(PsdObjective it, PetscInt members, const PetscInt member[], PetscInt count,
                               const float *means, float *gathered, float *small, PetscReal W[])
{
  PetscFunctionBeginUser;
  for (PetscInt k = 0; k < members; k++)
    PetscCall(PetscArraycpy(gathered + (size_t)k * count, means + (size_t)member[k] * count, count));
  PetscCall(PsdSyrkSingle('T', members, count, gathered, count, small, members));
  for (PetscInt l = 0; l < members; l++)
    for (PetscInt i = 0; i <= l; i++)
      W[(size_t)member[l] * it->columns->count + member[i]] += small[(size_t)l * members + i];
  PetscFunctionReturn(0);
}

PetscErrorCode PsdObjectiveGrams(PsdObjective it, const PetscBool active[], const PetscReal F[], PetscReal V[],
                                 PetscReal W[])
{
  PetscFunctionBeginUser;
  const PsdColumns *columns = it->columns;
  const size_t r = (size_t)columns->count;
  PetscInt patches = 1, *member;
  PetscReal *second;
  float *scaled, *small, *means, *gathered;
  for (PetscInt g = 0; g < it->G; g++) patches = PetscMax(patches, it->count[g]);
  PetscCall(PetscMalloc6((size_t)it->tile * patches * r, &scaled, r * r, &small, (size_t)it->tile * r, &means,
                         (size_t)it->tile * r, &gathered, it->tile, &second, r, &member));
  PetscCall(PetscArrayzero(V, r * r));
  PetscCall(PetscArrayzero(W, r * r));
  for (PetscInt first = 0; first < it->n; first += it->tile) {
    const PetscInt count = PetscMin(it->tile, it->n - first);
    for (PetscInt t = 0; t < it->C; t++) {
      PetscInt members = 0;
      if (!active[IsSeparable(it) ? t : 0]) continue;
      PsdObjectiveSecond(it, t, first, count, second);
      for (PetscInt g = 0; g < it->G; g++)
        for (PetscInt j = columns->first[g], end; j < columns->first[g + 1]; j = end) {
          end = EndOfClass(columns, g, j);
          if (PsdBlockClass(columns, columns->block[j]) != t) continue;
          PetscCall(AddGram(it, g, j, end, first, count, F, second, scaled, small, means, V));
          for (PetscInt k = j; k < end; k++) member[members++] = k;
        }
      PetscCall(AddMeans(it, members, member, count, means, gathered, small, W));
    }
  }
  PetscCall(PetscFree6(scaled, small, means, gathered, second, member));
  PetscCall(PsdSumArray(it->problem->comm, MPIU_REAL, r * r, V));
  PetscCall(PsdSumArray(it->problem->comm, MPIU_REAL, r * r, W));
  PetscFunctionReturn(0);
}

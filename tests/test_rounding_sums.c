/* What rounding does to a network's objective, to A'nu and to the two sums of a dual point is within the bounds that the
 * certificate counts, against extended precision: networks with weights that cancel, samples kept as features and as patches. */
#include "problem_sample.h"
#include <math.h>
#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>
#include "network/neurons.h"
#include "problem/dual_point.h"

#define NEURONS 24
#define NUMBERS 4 /* of a patch */

/* ---------------------------------------------------------------- the formulas */

typedef struct {
  PetscInt samples, C, G, d;
  long double *patches; /* samples x G x (patches of a region) x NUMBERS */
  PetscInt *count;      /* G */
  PetscReal *Y;         /* samples x C */
} Exact;

/* all patches of all images, region after region: a grid of 4 x 5, regions of 2 rows and of 3 or 2 columns */
static Exact ExactCreate(const Setting *it)
{
  const PetscInt height = (PetscInt)image_size[1], width = (PetscInt)image_size[2];
  const PetscInt *labels;
  PetscInt classes, kept = 0;
  Exact exact = {.C = it->problem->blocks->C, .G = 4, .d = NUMBERS + 1, .Y = it->Y};
  MUST(PetscMalloc2(IMAGES * 20 * NUMBERS, &exact.patches, 4, &exact.count));
  MUST(PsdDataGetClasses(it->data, &classes, &labels, NULL));
  for (PetscInt g = 0; g < 4; g++) exact.count[g] = 2 * (g % 2 ? 2 : 3);
  for (long k = 0; k < IMAGES; k++) {
    PetscBool used = PETSC_FALSE;
    for (PetscInt c = 0; c < classes; c++) used = (PetscBool)(used || labels[c] == LabelOf(k));
    if (!used) continue;
    long double *to = exact.patches + (size_t)kept++ * 20 * NUMBERS;
    for (PetscInt g = 0; g < 4; g++)
      for (PetscInt y = g / 2 * 2; y < g / 2 * 2 + 2; y++)
        for (PetscInt x = g % 2 * 3; x < (g % 2 ? 5 : 3); x++)
          for (PetscInt i = 0; i < 4; i++)
            *to++ = (PixelOf(k, (PetscInt)((y + i / 2) * width + x + i % 2)) - 128.L) / 255;
  }
  Require(height == 5 && kept == it->problem->n, "images of the classes");
  exact.samples = kept;
  return exact;
}

/* the patches of region g of a sample */
static const long double *PatchesOf(const Exact *exact, PetscInt i, PetscInt g)
{
  static const PetscInt before[] = {0, 6, 10, 16};
  return exact->patches + ((size_t)i * 20 + (size_t)before[g]) * NUMBERS;
}

/* mean over region g of s(x . u) */
static long double Response(const Exact *exact, PetscInt i, PetscInt g, const long double u[])
{
  const long double *x = PatchesOf(exact, i, g);
  long double sum = 0;
  for (PetscInt l = 0; l < exact->count[g]; l++, x += NUMBERS) {
    long double inner = 0;
    for (PetscInt k = 0; k < NUMBERS; k++) inner += x[k] * u[k];
    sum += (activation[0] * inner + activation[1]) * inner + activation[2];
  }
  return sum / exact->count[g];
}

static void ExactScores(const Exact *exact, const PsdNeurons *neurons, long double scores[])
{
  for (PetscInt k = 0; k < exact->samples * exact->C; k++) scores[k] = 0;
  for (PetscInt k = 0; k < neurons->N; k++) {
    long double u[NUMBERS], square = 0;
    for (PetscInt i = 0; i < NUMBERS; i++) u[i] = neurons->filter[k * NUMBERS + i];
    for (PetscInt i = 0; i < NUMBERS; i++) square += u[i] * u[i];
    for (PetscInt i = 0; i < NUMBERS; i++) u[i] /= sqrtl(square);
    for (PetscInt i = 0; i < exact->samples; i++)
      scores[i * exact->C + neurons->class[k]] += neurons->weight[k] * Response(exact, i, neurons->region[k], u);
  }
}

/* svec of smat(A'nu)_gt less its component along J */
static void ExactGradient(const Exact *exact, const long double nu[], PetscInt g, PetscInt t, long double M[])
{
  const PetscInt d = exact->d, m = d * (d + 1) / 2;
  long double along = 0;
  for (PetscInt k = 0; k < m; k++) M[k] = 0;
  for (PetscInt i = 0; i < exact->samples; i++) {
    const long double *x = PatchesOf(exact, i, g), value = nu[i * exact->C + t];
    for (PetscInt l = 0; l < exact->count[g]; l++, x += NUMBERS) {
      long double *to = M;
      const long double scale = value / exact->count[g];
      for (PetscInt b = 0; b < NUMBERS; b++)
        for (PetscInt a = 0; a <= b; a++) *to++ += scale * (a == b ? 1 : sqrtl(2)) * activation[0] * x[a] * x[b];
      for (PetscInt a = 0; a < NUMBERS; a++) *to++ += scale * activation[1] / sqrtl(2) * x[a];
      *to += scale * activation[2];
    }
  }
  for (PetscInt k = 0; k < d; k++) along += (k < d - 1 ? 1 : -1) * M[PsdDiagonal(k)] / d;
  for (PetscInt k = 0; k < d; k++) M[PsdDiagonal(k)] -= (k < d - 1 ? 1 : -1) * along;
}

/* ---------------------------------------------------------------- the test */

/* Pairs of neurons that nearly cancel, whose filters are unit vectors but for some roundings. */
static PsdNeurons Network(PsdBlocks blocks, PetscReal size)
{
  PsdNeurons neurons;
  MUST(PsdNeuronsCreate(NEURONS, blocks->f_max, &neurons));
  neurons.N = NEURONS;
  Fill(11, NEURONS * NUMBERS, neurons.filter);
  MakeUnit(NEURONS, NUMBERS, neurons.filter);
  Fill(12, NEURONS, neurons.weight);
  for (PetscInt k = 0; k < NEURONS; k++) {
    neurons.region[k] = k / 2 % blocks->G;
    neurons.class[k] = k / 8 % blocks->C;
    neurons.weight[k] *= 0.1;
    if (k % 2 == 0) continue;
    for (PetscInt i = 0; i < NUMBERS; i++) neurons.filter[k * NUMBERS + i] = neurons.filter[(k - 1) * NUMBERS + i];
    neurons.filter[k * NUMBERS] *= 1 + 3 * PETSC_MACHINE_EPSILON;
    neurons.weight[k - 1] += size;
    neurons.weight[k] -= size;
  }
  return neurons;
}

/* Errors are within bounds, and these within `idle` of what sizes allow. */
static void Within(long double error, PetscReal bound, PetscReal idle, const char what[])
{
  if (!(fabsl(error) <= bound) || !(bound <= idle))
    fprintf(stderr, "%s: error %g, bound %g, at most %g\n", what, (double)error, (double)bound, (double)idle);
  Require(fabsl(error) <= bound, what);
  Require(bound <= idle, "the bound is not idle");
}

static void CheckPrimal(const Exact *exact, const PsdNetworkMatrix *network, const long double scores[],
                        const PsdPrimalPoint *primal, const PsdNeurons *neurons)
{
  long double loss = 0, weight = 0;
  PetscReal residuals = 0;
  for (PetscInt k = 0; k < exact->samples * exact->C; k++) {
    const long double r = scores[k] - exact->Y[k];
    loss += r * r / 2;
    residuals += (PetscReal)fabsl(r);
  }
  for (PetscInt k = 0; k < neurons->N; k++) weight += fabsl((long double)neurons->weight[k]);
  /* sum |alpha| is the most that |yhat| can be of features of the order of 1 */
  const PetscReal size = (residuals + network->weight) * network->weight;
  Within(primal->loss - loss, primal->rounding, 1e4 * PETSC_MACHINE_EPSILON * ((PetscReal)loss + size), "loss");
  Within(network->weight - weight, network->weight_error, 100 * PETSC_MACHINE_EPSILON * network->weight, "weight");
}

static void CheckPoint(const Exact *exact, PsdBlocks blocks, const long double scores[], const PsdDualPoint *point)
{
  const PetscReal *gradient, *rounding;
  long double *nu, linear = 0, quadratic = 0, M[100] = {0};
  PetscReal sizes = 0;
  MUST(PetscMalloc1(exact->samples * exact->C, &nu));
  for (PetscInt k = 0; k < exact->samples * exact->C; k++) {
    nu[k] = (PetscReal)scores[k]; /* what was given */
    linear += nu[k] * exact->Y[k];
    quadratic += nu[k] * nu[k];
    sizes += (PetscReal)fabsl(nu[k]);
  }
  Within(point->linear - linear, point->linear_error, 10 * PETSC_MACHINE_EPSILON * sizes, "<nu,Y>");
  Within(point->quadratic - quadratic, point->quadratic_error, 10 * PETSC_MACHINE_EPSILON * (PetscReal)quadratic,
         "||nu||^2");
  MUST(VecGetArrayRead(point->gradient, &gradient));
  MUST(VecGetArrayRead(point->rounding, &rounding));
  for (PetscInt p = 0; p < blocks->local; p++) {
    const PetscInt pair = blocks->first + p;
    long double error = 0;
    ExactGradient(exact, nu, pair % exact->G, pair / exact->G, M);
    for (PetscInt k = 0; k < blocks->m_max; k++)
      error += (gradient[p * blocks->m_max + k] - M[k]) * (gradient[p * blocks->m_max + k] - M[k]);
    Within(sqrtl(error), rounding[p], 2e4 * PETSC_MACHINE_EPSILON * sizes, "A'nu");
  }
  MUST(VecRestoreArrayRead(point->rounding, &rounding));
  MUST(VecRestoreArrayRead(point->gradient, &gradient));
  MUST(PetscFree(nu));
}

static void Check(PetscInt classes, PetscReal size, PetscBool patches)
{
  Setting it = SettingCreate(classes, 0.1);
  Exact exact = ExactCreate(&it);
  const PsdBlocks blocks = it.problem->blocks;
  PsdNeurons neurons = Network(blocks, size);
  PsdNetworkMatrix network = {0};
  PsdPrimalPoint primal;
  PsdDualPoint point;
  long double *scores;
  PetscReal *nu;
  PetscInt first, n_local;
  if (patches) MUST(PsdProblemKeepPatches(it.problem));
  else MUST(PsdProblemLift(it.problem));
  MUST(PetscMalloc1(exact.samples * exact.C, &scores));
  ExactScores(&exact, &neurons, scores);
  MUST(PsdDataGetSizes(it.data, NULL, &n_local, &first));
  MUST(PetscMalloc1(n_local * exact.C, &nu));
  for (PetscInt k = 0; k < n_local * exact.C; k++) nu[k] = (PetscReal)scores[first * exact.C + k];
  MUST(PsdBlocksCreateVec(blocks, &network.S));
  MUST(PsdBlocksCreatePairVec(blocks, &network.error));
  MUST(PsdNeuronsAssemble(&neurons, blocks, network.S, &network.weight));
  MUST(MPI_Allreduce(MPI_IN_PLACE, &network.weight, 1, MPIU_REAL, MPI_SUM, blocks->comm));
  MUST(PsdNeuronsBoundErrors(&neurons, blocks, network.weight, network.error, &network.weight_error));
  MUST(PsdDualPointCreate(it.problem, PETSC_FALSE, &point));
  const PsdDualSource source = {.nu = nu};
  MUST(PsdProblemEvaluate(it.problem, &network, 1, &source, &primal, &point));
  CheckPrimal(&exact, &network, scores, &primal, &neurons);
  CheckPoint(&exact, blocks, scores, &point);
  MUST(PsdDualPointDestroy(&point));
  MUST(VecDestroy(&network.S));
  MUST(VecDestroy(&network.error));
  MUST(PsdNeuronsDestroy(&neurons));
  MUST(PetscFree(scores));
  MUST(PetscFree(nu));
  MUST(PetscFree2(exact.patches, exact.count));
  SettingDestroy(&it);
}

static void Features(void **state)
{
  (void)state;
  for (PetscReal size = 1; size < 1e7; size *= 1e3)
    for (PetscInt classes = 2; classes <= 3; classes++) Check(classes, size, PETSC_FALSE);
}

static void Patches(void **state)
{
  (void)state;
  for (PetscReal size = 1; size < 1e7; size *= 1e3)
    for (PetscInt classes = 2; classes <= 3; classes++) Check(classes, size, PETSC_TRUE);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(Features), cmocka_unit_test(Patches)};
  if (PsdInitialize(&argc, &argv, NULL)) return 1;
  WriteImages();
  const int failures = cmocka_run_group_tests(tests, NULL, NULL);
  RootRemove();
  return PsdFinalize() || failures;
}

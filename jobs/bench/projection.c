/*
   projection: the projection of one matrix over all ranks, by each method, timed.

   X has -positive P positive eigenvalues around 1, of vectors that look random, and a semicircle of others from -1.2 to -0.2 (a
   random symmetric matrix, shifted). The partial method is timed from nothing, and from the last vectors when X has moved by a
   hundredth of its norm, as in a solver. Prints a line a projection: order, ranks, method, seconds, products with X,
   eigenvalues found, residual and missed of the norm, memory of the rank that has most.
*/
#include <psdnet.h>
#include <math.h>
#include <stdint.h>
#include <sys/resource.h>

typedef struct {
  PetscInt order, positive;
  PetscReal moved;
  PetscReal *u; /* order x positive, by rows */
} Sample;

/* In (-1, 1), of two numbers. */
static PetscReal Noise(uint64_t a, uint64_t b)
{
  uint64_t x = a * 0x9e3779b97f4a7c15u + b * 0xc2b2ae3d27d4eb4fu + 1;
  for (int k = 0; k < 3; k++) x = (x ^ (x >> 29)) * 0xbf58476d1ce4e5b9u;
  return (PetscReal)(x >> 11) / (PetscReal)((uint64_t)1 << 52) - 1;
}

/* Uniform numbers of variance 1/3 make a semicircle of radius 2 sqrt(order / 3). */
static PetscReal Entry(PetscInt row, PetscInt column, void *data)
{
  const Sample *it = data;
  const PetscReal *u = it->u + (size_t)row * (size_t)it->positive, *v = it->u + (size_t)column * (size_t)it->positive;
  const PetscReal radius = 2 * sqrt((PetscReal)it->order / 3);
  PetscReal sum =
      (0.5 * Noise((uint64_t)row, (uint64_t)column) + it->moved * Noise((uint64_t)column, (uint64_t)row)) / radius;
  for (PetscInt k = 0; k < it->positive; k++) sum += 3 * u[k] * v[k] / (PetscReal)it->order * 1.7;
  return sum - (row == column ? 0.7 : 0);
}

static PetscErrorCode Time(PsdProjection projection, const char what[], const Sample *sample, const PetscReal X[],
                           PetscReal Z[])
{
  PsdProjectionResult result;
  struct rusage usage;
  PetscMPIInt ranks;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_size(PETSC_COMM_WORLD, &ranks));
  PetscCallMPI(MPI_Barrier(PETSC_COMM_WORLD));
  PetscReal seconds = -MPI_Wtime(), memory = 0;
  PetscCall(PsdProjectionApply(projection, X, Z, &result));
  seconds += MPI_Wtime();
  if (!getrusage(RUSAGE_SELF, &usage)) memory = (PetscReal)usage.ru_maxrss / 1024;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &seconds, 1, MPIU_REAL, MPI_MAX, PETSC_COMM_WORLD));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &memory, 1, MPIU_REAL, MPI_MAX, PETSC_COMM_WORLD));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "| %d | %d | %s | %.2f | %d | %d | %.1e | %.1e | %.0f |\n",
                        (int)sample->order, (int)ranks, what, (double)seconds, (int)result.products, (int)result.found,
                        (double)(result.residual / result.norm), (double)(result.missed / result.norm),
                        (double)memory));
  PetscFunctionReturn(0);
}

static PetscErrorCode Run(void)
{
  Sample sample = {.order = 1000, .positive = 20};
  PsdProjection projection;
  PsdProjectionLayout layout;
  PetscBool complete = PETSC_TRUE;
  PetscReal *X, *Z;
  PetscFunctionBeginUser;
  PetscCall(PsdOptionInt("-order", "order of the matrix", 1, 1000000, &sample.order, NULL));
  PetscCall(PsdOptionInt("-positive", "positive eigenvalues", 1, sample.order, &sample.positive, NULL));
  PetscCall(PsdOptionBool("-complete", "whether the complete method is timed as well", &complete, NULL));
  PetscCall(PsdOptionsCheckUnknown());
  PetscCall(PetscMalloc1((size_t)sample.order * (size_t)sample.positive, &sample.u));
  for (size_t k = 0; k < (size_t)sample.order * (size_t)sample.positive; k++) sample.u[k] = Noise(k, 1u << 31);
  for (int method = PSD_PROJECTION_PARTIAL;
       method >= PSD_PROJECTION_COMPLETE && (complete || method > PSD_PROJECTION_COMPLETE); method--) {
    PetscCall(PsdProjectionCreate(PETSC_COMM_WORLD, sample.order, &projection));
    PetscCall(PsdProjectionSetMethod(projection, (PsdProjectionMethod)method));
    PetscCall(PsdProjectionGetLayout(projection, &layout));
    const size_t numbers = (size_t)layout.rows * (size_t)layout.columns;
    PetscCall(PetscMalloc2(numbers, &X, numbers, &Z));
    sample.moved = 0;
    PetscCall(PsdProjectionFill(projection, Entry, &sample, X));
    PetscCall(
        Time(projection, method == PSD_PROJECTION_COMPLETE ? "complete" : "partial, from nothing", &sample, X, Z));
    sample.moved = 0.005;
    PetscCall(PsdProjectionFill(projection, Entry, &sample, X));
    if (method == PSD_PROJECTION_PARTIAL) PetscCall(Time(projection, "partial, moved by 1 %", &sample, X, Z));
    PetscCall(PetscFree2(X, Z));
    PetscCall(PsdProjectionDestroy(&projection));
  }
  PetscCall(PetscFree(sample.u));
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  if (PsdInitialize(&argc, &argv, NULL)) return 1;
  const PetscErrorCode code = Run();
  if (code == PSD_ERR_INPUT) fprintf(stderr, "%s\n", PsdErrorMessage());
  return PsdFinalize() || code;
}

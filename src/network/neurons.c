/*
   Lists of neurons: copying, gathering, and the matrix S that a list stands for.
*/
#include "neurons.h"
#include "base/rounding.h"

PetscErrorCode PsdNeuronsCreate(PetscInt capacity, PetscInt f, PsdNeurons *neurons)
{
  PetscFunctionBeginUser;
  *neurons = (PsdNeurons){.capacity = capacity, .f = f};
  PetscCall(PetscMalloc4((size_t)capacity * f, &neurons->filter, capacity, &neurons->weight, capacity, &neurons->region,
                         capacity, &neurons->class));
  PetscCall(PetscMalloc2(f + 1, &neurons->lambda, f + 1, &neurons->vector));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdNeuronsCopy(const PsdNeurons *from, PsdNeurons *to)
{
  PetscFunctionBeginUser;
  PetscCheck(from->N <= to->capacity && from->f == to->f, PETSC_COMM_SELF, PETSC_ERR_ARG_SIZ,
             "%" PetscInt_FMT " neurons do not fit %" PetscInt_FMT, from->N, to->capacity);
  PetscCall(PetscArraycpy(to->filter, from->filter, (size_t)from->N * from->f));
  PetscCall(PetscArraycpy(to->weight, from->weight, from->N));
  PetscCall(PetscArraycpy(to->region, from->region, from->N));
  PetscCall(PetscArraycpy(to->class, from->class, from->N));
  to->N = from->N;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdNeuronsDestroy(PsdNeurons *neurons)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree4(neurons->filter, neurons->weight, neurons->region, neurons->class));
  PetscCall(PetscFree2(neurons->lambda, neurons->vector));
  *neurons = (PsdNeurons){0};
  PetscFunctionReturn(0);
}

/* The sum of f squares, its root and the division by that are off by f + 3 roundings. */
PetscBool PsdFilterIsUnit(PsdBlocks blocks, PetscInt region, const PetscReal filter[])
{
  const PetscInt f = blocks->region[region].f;
  PetscReal square = 0;
  for (PetscInt i = 0; i < f; i++) square += filter[i] * filter[i];
  for (PetscInt i = f; i < blocks->f_max; i++)
    if (filter[i] != 0) return PETSC_FALSE;
  return (PetscBool)(PetscAbsReal(square - 1) <= 4 * PsdRoundings((PetscReal)f + 3));
}

PetscErrorCode PsdNeuronsGather(MPI_Comm comm, const PsdNeurons *local, PsdNeurons *all)
{
  PetscFunctionBeginUser;
  PetscMPIInt ranks, N, total = 0, *counts, *offsets;
  MPI_Datatype row;
  PetscCallMPI(MPI_Comm_size(comm, &ranks));
  PetscCall(PetscMPIIntCast(local->N, &N));
  PetscCall(PetscMalloc2(ranks, &counts, ranks, &offsets));
  PetscCallMPI(MPI_Allgather(&N, 1, MPI_INT, counts, 1, MPI_INT, comm));
  for (PetscMPIInt r = 0; r < ranks; r++) {
    offsets[r] = total;
    total += counts[r];
  }
  PetscCall(PsdNeuronsCreate(total, local->f, all));
  all->N = total;
  PetscCallMPI(MPI_Type_contiguous((PetscMPIInt)local->f, MPIU_REAL, &row));
  PetscCallMPI(MPI_Type_commit(&row));
  PetscCallMPI(MPI_Allgatherv(local->filter, N, row, all->filter, counts, offsets, row, comm));
  PetscCallMPI(MPI_Type_free(&row));
  PetscCallMPI(MPI_Allgatherv(local->weight, N, MPIU_REAL, all->weight, counts, offsets, MPIU_REAL, comm));
  PetscCallMPI(MPI_Allgatherv(local->region, N, MPIU_INT, all->region, counts, offsets, MPIU_INT, comm));
  PetscCallMPI(MPI_Allgatherv(local->class, N, MPIU_INT, all->class, counts, offsets, MPIU_INT, comm));
  PetscCall(PetscFree2(counts, offsets));
  PetscFunctionReturn(0);
}

/* The pair of neuron k as one of those owned; negative or too large: it is another rank's. */
static PetscInt LocalPair(const PsdNeurons *neurons, PsdBlocks blocks, PetscInt k)
{
  return neurons->class[k] * blocks->G + neurons->region[k] - blocks->first;
}

PetscErrorCode PsdNeuronsAssemble(const PsdNeurons *neurons, PsdBlocks blocks, Vec S, PetscReal *sum)
{
  PetscFunctionBeginUser;
  PetscReal *columns;
  *sum = 0;
  PetscCall(VecSet(S, 0));
  PetscCall(VecGetArray(S, &columns));
  for (PetscInt k = 0; k < neurons->N; k++) {
    const PetscInt pair = LocalPair(neurons, blocks, k);
    if (pair < 0 || pair >= blocks->local) continue;
    const PsdShape own = PsdBlocksOwn(blocks, pair);
    const PetscReal *u = neurons->filter + (size_t)k * neurons->f, alpha = neurons->weight[k];
    PetscReal *svec = columns + own.at;
    *sum += PetscAbsReal(alpha);
    if (own.vector) {
      for (PetscInt row = 0; row < own.f; row++) svec[row] += alpha * u[row];
      svec[own.f] += alpha;
      continue;
    }
    for (PetscInt column = 0; column < own.f; column++, svec += column) {
      const PetscReal scale = PETSC_SQRT2 * alpha * u[column];
      for (PetscInt row = 0; row < column; row++) svec[row] += scale * u[row];
      svec[column] += alpha * u[column] * u[column];
    }
    for (PetscInt row = 0; row < own.f; row++) svec[row] += PETSC_SQRT2 * alpha * u[row];
    svec[own.f] += alpha;
  }
  PetscCall(VecRestoreArray(S, &columns));
  PetscFunctionReturn(0);
}

/*
   Of alpha [u;1][u;1]', ||[u;1]||^2 = 1 + ||u||^2: its own roundings and those of a sum over the pair's neurons, and that
   ||u||^2 = 1 + tau:  || uu' - vv' || = |tau|,  sqrt 2 ||u - v|| <= sqrt 2 |tau|;  tau itself is off by f + 1 roundings.
   alpha (u, 1) of a linear neuron is a part of that.
*/
PetscErrorCode PsdNeuronsBoundErrors(const PsdNeurons *neurons, PsdBlocks blocks, PetscReal weight, Vec error,
                                     PetscReal *weight_error)
{
  PetscFunctionBeginUser;
  PetscInt *count, all = neurons->N;
  PetscMPIInt ranks;
  PetscReal *errors;
  PetscCallMPI(MPI_Comm_size(blocks->comm, &ranks));
  PetscCall(PetscCalloc1(blocks->local, &count));
  for (PetscInt k = 0; k < neurons->N; k++) {
    const PetscInt pair = LocalPair(neurons, blocks, k);
    if (pair >= 0 && pair < blocks->local) count[pair]++;
  }
  PetscCall(VecSet(error, 0));
  PetscCall(VecGetArray(error, &errors));
  for (PetscInt k = 0; k < neurons->N; k++) {
    const PetscInt pair = LocalPair(neurons, blocks, k);
    if (pair < 0 || pair >= blocks->local) continue;
    const PetscInt own = PsdBlocksOwn(blocks, pair).f;
    const PetscReal f = (PetscReal)own, square = PsdSquare(own, neurons->filter + (size_t)k * neurons->f);
    const PetscReal tau = PetscAbsReal(square - 1) + PsdRoundings(f + 2) * square;
    errors[pair] += PetscAbsReal(neurons->weight[k]) *
                    (PsdRoundings((PetscReal)count[pair] + 6) * (1 + square) + 2.5 * tau + f * PSD_TINY);
  }
  PetscCall(VecRestoreArray(error, &errors));
  PetscCall(PetscFree(count));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &all, 1, MPIU_INT, MPI_MAX, blocks->comm));
  *weight_error = PsdRoundings((PetscReal)all + (PetscReal)ranks) * weight;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdNeuronsGetFactors(const PsdNeurons *neurons, PsdBlocks blocks, PsdFactors *factors)
{
  PetscFunctionBeginUser;
  factors->count = 0;
  for (PetscInt k = 0; k < neurons->N; k++) {
    const PetscInt pair = neurons->class[k] * blocks->G + neurons->region[k], f = PsdBlocksPair(blocks, pair).f;
    PetscReal *column, *weight;
    PetscCall(PsdFactorsAppend(factors, pair, 1, &column, &weight));
    PetscCall(PetscArraycpy(column, neurons->filter + (size_t)k * neurons->f, f));
    column[f] = 1;
    *weight = neurons->weight[k];
  }
  PetscFunctionReturn(0);
}

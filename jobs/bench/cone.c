/*
   cone: a run as psdnet train does it, with LAPACK's projections of the same blocks timed beside it.

   At every check, rank 0 decomposes the blocks it last projected once more, completely (dsyevd) and in LAPACK's range of
   positive eigenvalues (dsyevr), while the other ranks wait. Totals are estimated as the mean of these times the number of
   projections. Prints one line: f, D, consensus, cone, iterations, gap, seconds in projections of the slowest rank, the
   estimates for the same share of blocks, seconds by phase, memory a rank, rank of Z at the end.
*/
#include "admm/admm.h"
#include "base/base.h"
#include "cone/cone_impl.h"
#include <sys/resource.h>

typedef struct {
  PsdCone lapack[2]; /* dsyevd, dsyevr: on this rank alone */
  PsdBlocks alone;
  Vec X[2], Z[2];
  PetscLogDouble seconds[2], cost; /* summed; of all of it, to be taken off the run's */
  PetscInt samples;
  PetscReal memory; /* MB here, before the shadow's own */
} Shadow;

static PetscErrorCode ShadowCreate(PsdAdmm admm, Shadow *it)
{
  PetscFunctionBeginUser;
  PetscCall(PsdBlocksCreate(PETSC_COMM_SELF, 1, 1, admm->blocks->f_max, &it->alone));
  for (int s = 0; s < 2; s++) {
    PetscCall(PsdBlocksCreateVec(it->alone, &it->X[s]));
    PetscCall(PsdBlocksCreateVec(it->alone, &it->Z[s]));
  }
  for (int k = 0; k < 2; k++) {
    PetscCall(PsdConeCreate(&it->lapack[k]));
    it->lapack[k]->choice = PsdConeFind("lapack");
    it->lapack[k]->driver = k == 0 ? PSD_LAPACK_COMPLETE : PSD_LAPACK_RANGE;
    PetscCall(PsdConeSetUp(it->lapack[k], it->alone));
  }
  PetscFunctionReturn(0);
}

/* Monitor of the solver: the first pair's blocks once more. */
static PetscErrorCode Look(PsdSolver solver, const PsdSolverStatus *status, void *context)
{
  PetscFunctionBeginUser;
  Shadow *it = context;
  const PsdAdmm admm = solver->data;
  PetscMPIInt rank;
  (void)status;
  struct rusage usage;
  PetscCallMPI(MPI_Barrier(PETSC_COMM_WORLD));
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  if (it->memory == 0 && !getrusage(RUSAGE_SELF, &usage)) it->memory = (PetscReal)usage.ru_maxrss / 1024;
  const PetscLogDouble start = MPI_Wtime();
  if (rank == 0) {
    if (!it->alone) PetscCall(ShadowCreate(admm, it));
    for (int s = 0; s < 2; s++) {
      const PetscReal *from;
      PetscReal *to;
      PetscCall(VecGetArrayRead(admm->iterate.X[s], &from));
      PetscCall(VecGetArrayWrite(it->X[s], &to));
      PetscCall(PetscArraycpy(to, from, admm->blocks->m_max));
      PetscCall(VecRestoreArrayWrite(it->X[s], &to));
      PetscCall(VecRestoreArrayRead(admm->iterate.X[s], &from));
    }
    for (int k = 0; k < 2; k++) {
      const PetscLogDouble begin = MPI_Wtime();
      PetscCall(PsdConeProject(it->lapack[k], it->X, it->Z));
      it->seconds[k] += (MPI_Wtime() - begin) / 2; /* a block */
    }
    it->samples++;
  }
  PetscCallMPI(MPI_Barrier(PETSC_COMM_WORLD));
  it->cost += MPI_Wtime() - start;
  PetscFunctionReturn(0);
}

static PetscErrorCode Run(void)
{
  PetscFunctionBeginUser;
  PsdData data;
  PsdPatches patches;
  PsdProblem problem;
  PsdSolver solver;
  PsdAdmm admm;
  PsdCertificate certificate;
  PsdSolverStatus status;
  Shadow shadow = {0};
  const PsdSolverKernel *kernel;
  PetscInt kernels, channels, height, width, f, D;
  PetscReal slowest, memory, phases[PSD_PHASE_COUNT];
  PetscCall(PsdDataCreate(PETSC_COMM_WORLD, &data));
  PetscCall(PsdPatchesCreate(PETSC_COMM_WORLD, &patches));
  PetscCall(PsdProblemCreate(data, patches, &problem));
  PetscCall(PsdSolverCreate(problem, &solver));
  PetscCall(PsdDataSetFromOptions(data));
  PetscCall(PsdPatchesSetFromOptions(patches));
  PetscCall(PsdProblemSetFromOptions(problem));
  PetscCall(PsdSolverSetFromOptions(solver));
  PetscCall(PsdSolverSetType(solver, "admm"));
  PetscCall(PsdProgressSetFromOptions());
  PetscCall(PsdOptionsCheckUnknown());
  PetscCall(PsdDataSetUp(data));
  PetscCall(PsdDataGetImageSize(data, &channels, &height, &width));
  PetscCall(PsdPatchesSetImageSize(patches, channels, height, width));
  PetscCall(PsdProblemSetUp(problem));
  PetscCall(PsdSolverSetUp(solver));
  admm = solver->data;
  PetscCall(PsdSolverSetMonitor(solver, Look, &shadow));
  PetscCall(PsdSolverSolve(solver, &certificate));
  PetscCall(PsdSolverGetStatus(solver, &status, NULL));
  PetscCall(PsdSolverGetKernels(solver, &kernels, &kernel)); /* of the consensus, of the cone */
  PetscCall(PsdProblemGetSizes(problem, NULL, &f, NULL, NULL, &D));
  slowest = admm->cone->seconds;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &slowest, 1, MPIU_REAL, MPI_MAX, PETSC_COMM_WORLD));
  memory = shadow.memory;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &memory, 1, MPIU_REAL, MPI_MAX, PETSC_COMM_WORLD));
  for (int p = 0; p < PSD_PHASE_COUNT; p++) phases[p] = PsdPhaseSeconds((PsdPhase)p);
  phases[PSD_PHASE_SOLVE] -= shadow.cost;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, phases, PSD_PHASE_COUNT, MPIU_REAL, MPI_MAX, PETSC_COMM_WORLD));
  const PetscInt projections = status.iteration * admm->cone->team.blocks;
  const PetscReal calls = admm->cone->shared ? (PetscReal)projections : 2.0 * status.iteration * admm->blocks->local;
  const PetscReal complete = shadow.samples ? calls * shadow.seconds[0] / shadow.samples : 0;
  const PetscReal range = shadow.samples ? calls * shadow.seconds[1] / shadow.samples : 0;
  PetscCall(
      PetscPrintf(PETSC_COMM_WORLD,
                  "| %d | %d | %s | %s | %d | %.1e | %.1f | %.1f | %.1f | %.2f | %.2f | %.1f | %.2f | %.0f | %.1f | "
                  "%d |\n",
                  (int)f, (int)D, kernel[0].kernel, kernel[1].kernel, (int)status.iteration, (double)certificate.gap,
                  (double)(phases[PSD_PHASE_LIFT] + phases[PSD_PHASE_GRAM]), (double)phases[PSD_PHASE_FACTOR],
                  (double)phases[PSD_PHASE_SOLVE], (double)slowest, (double)complete, (double)range,
                  (double)(PetscMin(complete, range) / slowest), (double)memory, (double)phases[PSD_PHASE_CERTIFY],
                  (int)status.rank_Z));
  PetscCall(PsdSolverDestroy(&solver));
  PetscCall(PsdProblemDestroy(&problem));
  PetscCall(PsdPatchesDestroy(&patches));
  PetscCall(PsdDataDestroy(&data));
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  if (PsdInitialize(&argc, &argv, NULL)) return 1;
  const PetscErrorCode code = Run();
  if (code == PSD_ERR_INPUT) fprintf(stderr, "%s\n", PsdErrorMessage());
  return PsdFinalize() || code;
}

/*
   Trains on images in memory, proves how good the network is, saves it, loads it, and predicts images it has not seen.

   mpiexec -n 2 ./train_arrays [-gap 1e-6 ...]        The images are stripes across (label 0) or down (label 1), under noise.
*/
#include <psdnet.h>

enum { SIDE = 8, BYTES = SIDE * SIDE, IMAGES = 200 };

/* Those of this rank, from a seed of its own. */
static PetscErrorCode MakeImages(MPI_Comm comm, unsigned seed, PsdData *data)
{
  unsigned char images[IMAGES][BYTES];
  PetscInt labels[IMAGES];
  PetscFunctionBeginUser;
  for (PetscInt k = 0; k < IMAGES; k++) {
    labels[k] = k % 2;
    for (PetscInt p = 0; p < BYTES; p++) {
      seed = 1664525 * seed + 1013904223;
      images[k][p] = (unsigned char)(((labels[k] ? p % SIDE : p / SIDE) % 4 < 2 ? 80 : 0) + seed % 65536 / 384);
    }
  }
  PetscCall(PsdDataCreate(comm, data));
  PetscCall(PsdDataSetArrays(*data, IMAGES, 1, SIDE, SIDE, images[0], labels));
  PetscCall(PsdDataSetUp(*data));
  PetscFunctionReturn(0);
}

static PetscErrorCode Run(MPI_Comm comm, unsigned seed)
{
  PsdData seen, unseen;
  PsdPatches patches;
  PsdProblem problem;
  PsdSolver solver;
  PsdCertificate certificate;
  PsdNetwork network;
  PetscReal scores[IMAGES], accuracy; /* two classes have one score */
  PetscInt64 confusion[2][2];
  PetscFunctionBeginUser;
  PetscCall(MakeImages(comm, seed, &seen));
  PetscCall(PsdPatchesCreate(comm, &patches));
  PetscCall(PsdPatchesSetImageSize(patches, 1, SIDE, SIDE));
  PetscCall(PsdProblemCreate(seen, patches, &problem));
  PetscCall(PsdProblemSetFromOptions(problem));
  PetscCall(PsdProblemSetUp(problem));
  PetscCall(PsdSolverCreate(problem, &solver));
  PetscCall(PsdSolverSetFromOptions(solver));
  PetscCall(PsdSolverSetUp(solver));
  PetscCall(PsdSolverSolve(solver, &certificate));
  PetscCall(PetscPrintf(comm, "objective %.6g, no network has less than %.6g: gap %.1e\n", (double)certificate.primal,
                        (double)certificate.dual, (double)certificate.gap));
  PetscCall(PsdSolverGetNetwork(solver, &network));
  PetscCall(PsdNetworkSetCertificate(network, &certificate));
  PetscCall(PsdNetworkSave(network, "stripes.h5"));
  PetscCall(PsdNetworkDestroy(&network));
  PetscCall(PsdSolverDestroy(&solver));
  PetscCall(PsdProblemDestroy(&problem));
  PetscCall(PsdPatchesDestroy(&patches));
  PetscCall(PsdDataDestroy(&seen));

  PetscCall(MakeImages(comm, seed + 1000, &unseen));
  PetscCall(PsdNetworkLoad(comm, "stripes.h5", &network));
  PetscCall(PsdNetworkApply(network, unseen, scores));
  PetscCall(PsdNetworkConfusion(network, unseen, scores, confusion[0], &accuracy));
  PetscCall(PetscPrintf(comm, "accuracy %.2f%% of images not seen before\n", 100 * (double)accuracy));
  PetscCall(PsdNetworkDestroy(&network));
  PetscCall(PsdDataDestroy(&unseen));
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  PetscCall(PetscInitialize(&argc, &argv, NULL, NULL));
  PetscCall(PsdInitialize(NULL, NULL, NULL));
  const PetscErrorCode code = Run(PETSC_COMM_WORLD, (unsigned)PetscGlobalRank);
  if (code == PSD_ERR_INPUT) PetscCall(PetscPrintf(PETSC_COMM_WORLD, "error: %s\n", PsdErrorMessage()));
  else PetscCall(code); /* a defect: its traceback, and the end of all ranks */
  PetscCall(PsdFinalize());
  PetscCall(PetscFinalize());
  return code ? 1 : 0;
}

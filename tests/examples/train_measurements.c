/*
   Trains a network on images of real numbers to tell two real numbers of each, in physical units: where a peak is, and how
   wide. Images that are doubtful count less. The optimum is proved; the network is saved, and applied to new images.

   mpiexec -n 2 ./train_measurements [-gap 1e-6 ...]        Images of unsigned short or double are another word below.
*/
#include <psdnet.h>
#include <math.h>

enum { SIDE = 8, PIXELS = SIDE * SIDE, IMAGES = 150, OUTPUTS = 2 };

static const char *const names[OUTPUTS] = {"place in mm", "width in mm"};

/* What a detector would have measured: images in volts, targets, and how much each image counts. */
typedef struct {
  float images[IMAGES][PIXELS];
  PetscReal targets[IMAGES][OUTPUTS], weights[IMAGES];
} Measurements;

static double Random(unsigned *seed)
{
  *seed = 1664525 * *seed + 1013904223;
  return *seed / 4294967296.0;
}

static void Measure(unsigned seed, Measurements *all)
{
  for (int k = 0; k < IMAGES; k++) {
    const double place = 2 + 3 * Random(&seed), width = 0.6 + 1.2 * Random(&seed);
    const int doubtful = k % 5 == 0; /* five times the noise */
    for (int p = 0; p < PIXELS; p++) {
      const double distance = (p % SIDE - place) / width, noise = (doubtful ? 0.05 : 0.01) * (Random(&seed) - 0.5);
      all->images[k][p] = (float)(1e-3 * (exp(-distance * distance) + noise));
    }
    all->targets[k][0] = place;
    all->targets[k][1] = width;
    all->weights[k] = doubtful ? 0.2 : 1;
  }
}

static PetscErrorCode CreateData(MPI_Comm comm, const Measurements *all, PsdData *data)
{
  PetscFunctionBeginUser;
  PetscCall(PsdDataCreate(comm, data));
  PetscCall(PsdDataSetTypedArrays(*data, PSD_ARRAY_FLOAT32, IMAGES, 1, SIDE, SIDE, all->images, NULL));
  PetscCall(PsdDataSetArrayTargets(*data, OUTPUTS, all->targets[0]));
  PetscFunctionReturn(0);
}

static PetscErrorCode Train(MPI_Comm comm, const Measurements *all)
{
  PsdData data;
  PsdPatches patches;
  PsdProblem problem;
  PsdSolver solver;
  PsdCertificate certificate;
  PsdNetwork network;
  PetscFunctionBeginUser;
  PetscCall(CreateData(comm, all, &data));
  PetscCall(PsdDataSetArrayTargetNames(data, names));
  PetscCall(PsdDataSetArrayWeights(data, all->weights));
  PetscCall(PsdDataSetUp(data));
  PetscCall(PsdPatchesCreate(comm, &patches));
  PetscCall(PsdPatchesSetFromOptions(patches));
  PetscCall(PsdPatchesSetImageSize(patches, 1, SIDE, SIDE));
  PetscCall(PsdProblemCreate(data, patches, &problem));
  PetscCall(PsdProblemSetLoss(problem, "huber", 0.5)); /* squares of errors of up to half a millimetre */
  PetscCall(PsdProblemSetBetaRel(problem, 1e-4));
  PetscCall(PsdProblemSetUp(problem));
  PetscCall(PsdSolverCreate(problem, &solver));
  PetscCall(PsdSolverSetFromOptions(solver));
  PetscCall(PsdSolverSetUp(solver));
  PetscCall(PsdSolverSolve(solver, &certificate));
  PetscCall(PetscPrintf(comm, "objective %.6g, no network has less than %.6g: gap %.1e\n", (double)certificate.primal,
                        (double)certificate.dual, (double)certificate.gap));
  PetscCall(PsdSolverGetNetwork(solver, &network));
  PetscCall(PsdNetworkSetCertificate(network, &certificate));
  PetscCall(PsdNetworkSave(network, "measurements.h5"));
  PetscCall(PsdNetworkDestroy(&network));
  PetscCall(PsdSolverDestroy(&solver));
  PetscCall(PsdProblemDestroy(&problem));
  PetscCall(PsdPatchesDestroy(&patches));
  PetscCall(PsdDataDestroy(&data));
  PetscFunctionReturn(0);
}

/* New images are held as those that the network was trained on. */
static PetscErrorCode Apply(MPI_Comm comm, const Measurements *all)
{
  PsdData data;
  PsdNetwork network;
  PsdPixels pixels;
  PsdFit fits[OUTPUTS], both;
  const char *const *called;
  PetscReal outputs[IMAGES][OUTPUTS];
  PetscFunctionBeginUser;
  PetscCall(PsdNetworkLoad(comm, "measurements.h5", &network));
  PetscCall(PsdNetworkGetPixels(network, &pixels));
  PetscCall(PsdNetworkGetClassNames(network, &called));
  PetscCall(CreateData(comm, all, &data));
  PetscCall(PsdDataSetPixels(data, &pixels));
  PetscCall(PsdDataSetOutputs(data, OUTPUTS));
  PetscCall(PsdDataSetUp(data));
  PetscCall(PsdNetworkApply(network, data, outputs[0]));
  PetscCall(PsdNetworkFit(network, data, outputs[0], fits, &both));
  for (int t = 0; t < OUTPUTS; t++)
    PetscCall(PetscPrintf(comm, "%s: off by %.3f, R2 %.4f of images not seen before\n", called[t], (double)fits[t].rmse,
                          (double)fits[t].r2));
  PetscCall(PsdDataDestroy(&data));
  PetscCall(PsdNetworkDestroy(&network));
  PetscFunctionReturn(0);
}

static PetscErrorCode Run(MPI_Comm comm, unsigned seed)
{
  static Measurements seen, unseen; /* those of this rank */
  PetscFunctionBeginUser;
  Measure(seed, &seen);
  Measure(seed + 1000, &unseen);
  PetscCall(Train(comm, &seen));
  PetscCall(Apply(comm, &unseen));
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

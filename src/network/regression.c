/*
   How well a network meets real targets, by outputs and altogether.
*/
#include "network.h"
#include "base/explained.h"

/* Sums of one output, this rank's and then all. */
typedef struct {
  PetscReal squares, sizes; /* of what is missed: predictions less targets */
} Sums;

#define SUMS (sizeof(Sums) / sizeof(PetscReal))

static void AddMisses(PetscInt n_local, PetscInt K, const PetscReal scores[], const PetscReal targets[], PetscReal n,
                      Sums sums[])
{
  for (size_t k = 0; k < (size_t)n_local * (size_t)K; k++) {
    Sums *of = &sums[k % (size_t)K];
    const PetscReal miss = scores[k] - targets[k];
    of->squares += miss * miss / n;
    of->sizes += PetscAbsReal(miss) / n;
  }
}

static PsdFit FitOf(const Sums *sums, PetscReal deviation)
{
  return (PsdFit){
      .rmse = PetscSqrtReal(sums->squares), .mean_error = sums->sizes, .r2 = PsdExplained(sums->squares, deviation)};
}

PetscErrorCode PsdNetworkFit(PsdNetwork network, PsdData data, const PetscReal scores[], PsdFit each[], PsdFit *all)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(network);
  PsdCheckHandle(data);
  const PetscInt K = network->outputs;
  const PetscReal *targets;
  PetscInt n, n_local, found;
  PetscReal *deviations, deviation = 0;
  Sums *sums, whole = {0, 0};
  PetscCall(PsdDataGetTargets(data, &found, &targets));
  PsdCheckInput(K > 0 && found == K,
                "images with %" PetscInt_FMT " targets cannot be compared with a network of %" PetscInt_FMT " outputs",
                found, K);
  PetscCall(PsdDataGetSizes(data, &n, &n_local, NULL));
  PetscCall(PetscCalloc2(K, &sums, K, &deviations));
  AddMisses(n_local, K, scores, targets, (PetscReal)n, sums);
  PetscCall(PsdSumArray(network->comm, MPIU_REAL, (size_t)K * SUMS, sums));
  PetscCall(PsdDeviations(network->comm, n, n_local, K, targets, deviations));
  for (PetscInt t = 0; t < K; t++) {
    if (each) each[t] = FitOf(&sums[t], deviations[t]);
    whole.squares += sums[t].squares / (PetscReal)K;
    whole.sizes += sums[t].sizes / (PetscReal)K;
    deviation += deviations[t] / (PetscReal)K;
  }
  *all = FitOf(&whole, deviation);
  PetscCall(PetscFree2(sums, deviations));
  PetscFunctionReturn(0);
}

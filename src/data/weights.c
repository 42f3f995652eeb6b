/*
   Weights of images: a number for each, from the data set, from a file of their own or from the caller's arrays, and a
   factor for each class on top (docs/mathematics.md, section 1, "Weights of images").

   Every rank has those of all images of the split for as long as images are selected, as it has labels. An image of
   weight 0 is left out like one of another class. What is only to be predicted has no weight.
*/
#include "data.h"
#include <stdlib.h>

/* Beyond these products of weights with what they weigh would leave the range of double precision. */
#define LEAST_WEIGHT 1e-30
#define MOST_WEIGHT 1e30

static const char *NameOf(PsdData data)
{
  return data->weights_path[0] ? data->weights_path : PsdDataName(data);
}

/* The same on all ranks. */
static PetscErrorCode Check(PsdData data, PetscInt n, const PetscReal weights[])
{
  PetscFunctionBeginUser;
  PetscInt positive = 0;
  for (PetscInt k = 0; k < n; k++) {
    const PetscReal weight = weights[k];
    PsdCheckInput(weight == 0 || (weight >= LEAST_WEIGHT && weight <= MOST_WEIGHT),
                  "%s: image %" PetscInt_FMT " (from 0) has the weight %g, expected 0 or a number in %g..%g",
                  NameOf(data), k, (double)weight, LEAST_WEIGHT, MOST_WEIGHT);
    positive += weight > 0;
  }
  PsdCheckInput(positive > 0, "%s: all weights are 0, which leaves no image to train on", NameOf(data));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdDataReadWeights(PsdData data, const PsdSource *source, PetscReal **weights)
{
  PetscFunctionBeginUser;
  PsdFailure failure = {.failed = PETSC_FALSE};
  *weights = NULL;
  if (data->purpose == PSD_TO_PREDICT || !(source->weighted || data->weights_path[0])) PetscFunctionReturn(0);
  *weights = (PetscReal *)PsdAllocate((size_t)source->n, sizeof(**weights), "weights", &failure);
  PetscCall(PsdFailureAgree(data->comm, &failure));
  PetscCall((*data->origin->read_weights)(data, source, *weights));
  PetscCall(Check(data, source->n, *weights));
  PetscFunctionReturn(0);
}

/* n/(K n_k) of the K classes that occur: their weights add up to n, as those of images without weights do. */
static void Balance(PetscInt count, const PetscInt counts[], PetscReal factors[])
{
  PetscReal n = 0, occurring = 0;
  for (PetscInt k = 0; k < count; k++) {
    n += (PetscReal)counts[k];
    occurring += counts[k] > 0;
  }
  for (PetscInt k = 0; k < count; k++) factors[k] = counts[k] > 0 ? n / (occurring * (PetscReal)counts[k]) : 1;
}

PetscErrorCode PsdDataWeighClasses(PsdData data, const PetscInt counts[])
{
  PetscFunctionBeginUser;
  PetscReal factors[PSD_MAX_CLASSES];
  if (!data->balanced && data->class_weight_count == 0) PetscFunctionReturn(0);
  PsdCheckInput(!data->unlabelled, "-class_weights: the images of %s have no classes", PsdDataName(data));
  PsdCheckInput(data->balanced || data->class_weight_count == data->class_count,
                "-class_weights: %" PetscInt_FMT " numbers, expected %" PetscInt_FMT " as there are classes",
                data->class_weight_count, data->class_count);
  if (data->balanced) Balance(data->class_count, counts, factors);
  else PetscCall(PetscArraycpy(factors, data->class_weights, data->class_count));
  if (!data->weights) {
    PetscCall(PetscMalloc1(data->n_local, &data->weights));
    for (PetscInt k = 0; k < data->n_local; k++) data->weights[k] = 1;
  }
  for (PetscInt k = 0; k < data->n_local; k++) data->weights[k] *= factors[data->classes[k]];
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- what the caller asks for */

PetscErrorCode PsdDataSetWeightsPath(PsdData data, const char path[])
{
  PetscFunctionBeginUser;
  PsdCheckHandle(data);
  PetscCall(PetscStrncpy(data->weights_path, path, sizeof(data->weights_path)));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdDataSetClassWeights(PsdData data, PetscInt count, const PetscReal weights[])
{
  PetscFunctionBeginUser;
  PsdCheckHandle(data);
  for (PetscInt k = 0; k < count && weights; k++)
    PsdCheckInput(weights[k] >= LEAST_WEIGHT && weights[k] <= MOST_WEIGHT,
                  "-class_weights: found %g, expected numbers in %g..%g", (double)weights[k], LEAST_WEIGHT,
                  MOST_WEIGHT);
  PetscCall(PetscFree(data->class_weights));
  data->balanced = (PetscBool)(count > 0 && !weights);
  data->class_weight_count = data->balanced ? 0 : count;
  PetscCall(PetscMalloc1(data->class_weight_count, &data->class_weights));
  if (weights) PetscCall(PetscArraycpy(data->class_weights, weights, data->class_weight_count));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdDataGetWeights(PsdData data, const PetscReal *weights[])
{
  PetscFunctionBeginUser;
  PsdCheckHandle(data);
  PetscCheck(data->ready, PETSC_COMM_SELF, PETSC_ERR_ORDER, "PsdDataSetUp was not called");
  *weights = data->weights;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdDataSetWeightsFromOptions(PsdData data)
{
  PetscFunctionBeginUser;
  const char *help = "factors of the classes' weights, in the order of the classes: a,b,..., or balanced";
  char path[PETSC_MAX_PATH_LEN] = "", text[24 * PSD_MAX_CLASSES] = "";
  PetscReal weights[PSD_MAX_CLASSES];
  PetscInt count = PSD_MAX_CLASSES;
  PetscBool balanced, set = PETSC_FALSE;
  PetscCall(PsdOptionPath("-weights", "weight of each image: a .npy of one number for each of the split",
                          PSD_PATH_INPUT, PETSC_FALSE, path));
  if (path[0]) PetscCall(PsdDataSetWeightsPath(data, path));
  PetscCall(PsdOptionString("-class_weights", help, text, sizeof(text), &set));
  if (!set) PetscFunctionReturn(0);
  PetscCall(PetscStrcmp(text, "balanced", &balanced));
  if (balanced) {
    PetscCall(PsdDataSetClassWeights(data, 1, NULL));
    PetscFunctionReturn(0);
  }
  PetscCall(PsdOptionRealList("-class_weights", help, weights, &count, &set));
  PetscCall(PsdDataSetClassWeights(data, count, weights));
  PetscFunctionReturn(0);
}

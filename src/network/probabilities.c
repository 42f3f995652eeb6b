/*
   Scores as probabilities. Softmax is trained so that exp(score) of the classes are in the ratios of their probabilities;
   logistic with two classes so that exp(score) is that of the second to the first.
*/
#include "network.h"
#include <math.h>
#include <string.h>

PetscErrorCode PsdNetworkCheckProbabilities(PsdNetwork network, PetscInt *count)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(network);
  const char *loss = network->training.loss;
  const PetscBool two = (PetscBool)(!strcmp(loss, "logistic") && network->count == 2);
  PsdCheckInput(!strcmp(loss, "softmax") || two,
                "scores of %" PetscInt_FMT
                " classes trained with -loss %s are no probabilities; they are of softmax, and of "
                "logistic with two classes",
                network->count, loss);
  *count = network->count;
  PetscFunctionReturn(0);
}

void PsdNetworkProbabilities(PetscInt C, const PetscReal scores[], PetscReal probabilities[])
{
  const PetscInt count = C == 1 ? 2 : C;
  PetscReal largest = C == 1 ? 0 : scores[0], sum = 0;
  for (PetscInt t = 0; t < C; t++) largest = PetscMax(largest, scores[t]);
  for (PetscInt k = 0; k < count; k++) {
    const PetscReal score = C > 1 ? scores[k] : k == 0 ? 0 : scores[0];
    probabilities[k] = PetscExpReal(score - largest); /* at most 1 */
    sum += probabilities[k];
  }
  for (PetscInt k = 0; k < count; k++) probabilities[k] /= sum;
}

/*
   filters MODEL COUNT: the COUNT strongest neurons of a network as pixel patterns, for filters.gp.

   A filter u sees x = (p - mean) transform of a patch p, and u . x = (transform u) . (p - mean): transform u is the pattern
   of pixels that the neuron looks for. Each is printed as a matrix that gnuplot reads, under a line
   "# class weight row column" of its pooling region, channels side by side, scaled to largest magnitude 1.
*/
#include <psdnet.h>

typedef struct {
  PetscInt N, f, q, C;
  const PetscReal *filters, *weights, *transform;
  const PetscInt *regions, *classes, *labels;
  PsdPatchGeometry geometry;
} Neurons;

static PetscErrorCode GetNeurons(PsdNetwork network, Neurons *neurons)
{
  PetscFunctionBeginUser;
  PsdPatches patches;
  PetscCall(PsdNetworkGetNeurons(network, &neurons->N, &neurons->f, &neurons->filters, &neurons->weights,
                                 &neurons->regions, &neurons->classes));
  PetscCall(PsdNetworkGetClasses(network, NULL, &neurons->labels, &neurons->C));
  PetscCall(PsdNetworkGetPatches(network, &patches));
  PetscCall(PsdPatchesGetTransform(patches, &neurons->transform, NULL));
  PetscCall(PsdPatchesGetSizes(patches, &neurons->q, NULL, NULL, NULL));
  PetscCall(PsdPatchesGetGeometry(patches, &neurons->geometry));
  PetscFunctionReturn(0);
}

/* pattern = transform u, scaled */
static void Pattern(const Neurons *neurons, PetscInt j, PetscReal *pattern)
{
  const PetscReal *u = neurons->filters + (size_t)j * neurons->f;
  PetscReal largest = 0;
  for (PetscInt i = 0; i < neurons->q; i++) {
    pattern[i] = neurons->transform ? 0 : u[i];
    for (PetscInt k = 0; neurons->transform && k < neurons->f; k++)
      pattern[i] += neurons->transform[(size_t)i * neurons->f + k] * u[k];
    largest = PetscMax(largest, PetscAbsReal(pattern[i]));
  }
  for (PetscInt i = 0; i < neurons->q && largest > 0; i++) pattern[i] /= largest;
}

static void PrintNeuron(const Neurons *neurons, PetscInt j, PetscReal *pattern)
{
  const PetscInt height = neurons->geometry.patch_height, width = neurons->geometry.patch_width;
  /* with two classes there is one score, and it speaks for class 1 */
  const PetscInt label = neurons->labels[neurons->C == 1 ? 1 : neurons->classes[j]];
  const PetscInt pool = neurons->geometry.pool, region = neurons->regions[j];
  Pattern(neurons, j, pattern);
  printf("# %d %.3g %d %d\n", (int)label, (double)neurons->weights[j], (int)(region / pool) + 1,
         (int)(region % pool) + 1);
  for (PetscInt row = 0; row < height; row++) {
    for (PetscInt channel = 0; channel < neurons->geometry.channels; channel++)
      for (PetscInt column = 0; column < width; column++)
        printf("%.4f ", (double)pattern[(channel * height + row) * width + column]);
    printf("\n");
  }
  printf("\n\n");
}

static PetscErrorCode PrintStrongest(const char path[], PetscInt count)
{
  PetscFunctionBeginUser;
  PsdNetwork network;
  Neurons neurons;
  PetscReal *weakness, *pattern;
  PetscInt *order;
  PetscCall(PsdNetworkLoad(PETSC_COMM_WORLD, path, &network));
  PetscCall(GetNeurons(network, &neurons));
  PetscCall(PetscMalloc3(neurons.N, &weakness, neurons.N, &order, neurons.q, &pattern));
  for (PetscInt j = 0; j < neurons.N; j++) {
    weakness[j] = -PetscAbsReal(neurons.weights[j]);
    order[j] = j;
  }
  PetscCall(PetscSortRealWithArrayInt(neurons.N, weakness, order));
  for (PetscInt k = 0; k < PetscMin(count, neurons.N); k++) PrintNeuron(&neurons, order[k], pattern);
  PetscCall(PetscFree3(weakness, order, pattern));
  PetscCall(PsdNetworkDestroy(&network));
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  if (argc != 3) {
    fprintf(stderr, "usage: filters MODEL COUNT\n");
    return 1;
  }
  if (PsdInitialize(&argc, &argv, NULL)) return 1;
  const PetscErrorCode ierr = PrintStrongest(argv[1], (PetscInt)strtol(argv[2], NULL, 10));
  if (ierr) fprintf(stderr, "filters: %s\n", PsdErrorMessage());
  return PsdFinalize() || ierr;
}

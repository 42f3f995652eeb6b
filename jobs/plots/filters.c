/*
   filters MODEL COUNT: the COUNT strongest neurons of a network as pixel patterns, for filters.gp.

   A filter u sees x = (p - mean) transform of a patch p, and u . x = (transform u) . (p - mean): transform u is the pattern
   of pixels that the neuron looks for. Each is printed as lines "column row red green blue", 0 to 255, under a line
   "# class weight row column" of its pooling region. 0 is grey, and the largest magnitude is as far from it as there is
   room. Three channels are one colour; of other numbers each is grey, side by side. A neuron of one of several branches
   sees the patches of that branch.
*/
#include <psdnet.h>

typedef struct {
  PetscInt q, f, G;
  const PetscReal *transform; /* q x f; NULL: none, f = q */
  PsdPatchGeometry geometry;
} Branch;

typedef struct {
  PetscInt N, f, C; /* f: numbers of a filter, those of the largest branch */
  const PetscReal *filters, *weights;
  const PetscInt *regions, *classes, *labels;
  PetscInt q; /* of the largest branch */
  Branch branch[PSD_MOST_BRANCHES];
} Neurons;

static PetscErrorCode GetBranches(PsdPatches patches, Neurons *neurons)
{
  PetscFunctionBeginUser;
  PetscInt count;
  PetscCall(PsdPatchesGetSizes(patches, &neurons->q, NULL, NULL, NULL));
  PetscCall(PsdPatchesGetBranchCount(patches, &count));
  for (PetscInt k = 0; k < count; k++) {
    Branch *it = &neurons->branch[k];
    PsdPatches branch;
    PetscCall(PsdPatchesGetBranch(patches, k, &branch));
    PetscCall(PsdPatchesGetTransform(branch, &it->transform, NULL));
    PetscCall(PsdPatchesGetSizes(branch, &it->q, &it->f, &it->G, NULL));
    PetscCall(PsdPatchesGetGeometry(branch, &it->geometry));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode GetNeurons(PsdNetwork network, Neurons *neurons)
{
  PetscFunctionBeginUser;
  PsdPatches patches;
  PetscCall(PsdNetworkGetNeurons(network, &neurons->N, &neurons->f, &neurons->filters, &neurons->weights,
                                 &neurons->regions, &neurons->classes));
  PetscCall(PsdNetworkGetClasses(network, NULL, &neurons->labels, &neurons->C));
  PetscCall(PsdNetworkGetPatches(network, &patches));
  PetscCall(GetBranches(patches, neurons));
  PetscFunctionReturn(0);
}

/* pattern = transform u, scaled */
static void Pattern(const Branch *branch, const PetscReal u[], PetscReal pattern[])
{
  PetscReal largest = 0;
  for (PetscInt i = 0; i < branch->q; i++) {
    pattern[i] = branch->transform ? 0 : u[i];
    for (PetscInt k = 0; branch->transform && k < branch->f; k++)
      pattern[i] += branch->transform[(size_t)i * branch->f + k] * u[k];
    largest = PetscMax(largest, PetscAbsReal(pattern[i]));
  }
  for (PetscInt i = 0; i < branch->q && largest > 0; i++) pattern[i] /= largest;
}

/* A pixel of one colour or three, whose numbers are `apart`, each from -1 to 1. */
static void PrintPixel(PetscInt column, PetscInt row, PetscInt colours, PetscInt apart, const PetscReal pattern[])
{
  printf("%d %d", (int)column, (int)row);
  for (PetscInt k = 0; k < 3; k++)
    printf(" %.0f", 127.5 + 127.5 * (double)pattern[(size_t)(k % colours) * (size_t)apart]);
  printf("\n");
}

static void PrintNeuron(const Neurons *neurons, PetscInt j, PetscReal *pattern)
{
  const Branch *branch = neurons->branch;
  PetscInt region = neurons->regions[j];
  for (; region >= branch->G; branch++) region -= branch->G; /* regions are counted through all branches */
  const PetscInt height = branch->geometry.patch_height, width = branch->geometry.patch_width;
  const PetscInt pool = branch->geometry.pool;
  /* with two classes there is one score, and it speaks for class 1 */
  const PetscInt label = neurons->labels[neurons->C == 1 ? 1 : neurons->classes[j]];
  Pattern(branch, neurons->filters + (size_t)j * neurons->f, pattern);
  printf("# %d %.3g %d %d\n", (int)label, (double)neurons->weights[j], (int)(region / pool) + 1,
         (int)(region % pool) + 1);
  const PetscInt channels = branch->geometry.channels, colours = channels == 3 ? 3 : 1, place = height * width;
  for (PetscInt channel = 0; channel < channels; channel += colours)
    for (PetscInt k = 0; k < place; k++)
      PrintPixel(k % width + channel * width, k / width, colours, place, pattern + (size_t)channel * (size_t)place + k);
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

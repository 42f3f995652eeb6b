/*
   PsdPatches: the geometry of patches and their preprocessing; options, checks, sizes.
*/
#include "patches.h"
#include "base/base.h"

PetscErrorCode PsdPatchesCreate(MPI_Comm comm, PsdPatches *patches)
{
  PetscFunctionBeginUser;
  PetscCall(PetscNew(patches));
  (*patches)->comm = comm;
  (*patches)->geometry = (PsdPatchGeometry){.patch_height = 4, .patch_width = 4, .stride = 1, .pool = 1};
  (*patches)->geometry.pixel_shift = 128;
  (*patches)->geometry.pixel_scale = 255;
  PetscFunctionReturn(0);
}

/* What a run gets that asks for nothing: good on small colour and grey images alike (docs/design.md, "Recipe"). */
static void UseRecipe(PsdPatches patches)
{
  patches->recipe = PETSC_TRUE;
  patches->geometry.normalize = 100;
  patches->whiten = 0.01;
}

/* The finest pooling up to 4 x 4 that fits the grid of positions and whose D stays at what one core factorises in a second
   or two; 2 x 2 at least where it fits. */
static PetscInt RecipePool(const PsdPatchGeometry *g)
{
  const PetscInt m = PsdPackedLength(g->channels * g->patch_height * g->patch_width + 1);
  const PetscInt grid = PetscMin(g->height - g->patch_height, g->width - g->patch_width) / g->stride + 1;
  PetscInt pool = PetscMax(1, PetscMin(4, grid));
  while (pool > 2 && pool * pool * m > 5000) pool--;
  return pool;
}

PetscErrorCode PsdPatchesSetFromOptions(PsdPatches patches)
{
  PetscFunctionBeginUser;
  PsdPatchGeometry *geometry = &patches->geometry;
  PetscInt size[2], count = 2;
  PetscBool given, any = PETSC_FALSE;
  const PetscInt big = 65535;

  static const char *const shaping[] = {"-patch", "-stride", "-pool", "-patch_normalize", "-whiten", "-pca"};
  for (size_t k = 0; k < sizeof(shaping) / sizeof(*shaping); k++) {
    PetscCall(PetscOptionsHasName(NULL, NULL, shaping[k], &given));
    any = (PetscBool)(any || given);
  }
  if (!any) UseRecipe(patches);

  PetscCall(
      PsdOptionsHeading("Patches (none of -patch ... -pca given: 4x4, stride 1, pool 2 to 4, normalised, whitened)"));
  PetscCall(PsdOptionIntList("-patch", "patch height and width, P or PxQ [4]", 'x', 1, big, size, &count, &given));
  if (given) {
    PsdCheckInput(count == 1 || count == 2, "option -patch: found %" PetscInt_FMT " numbers, expected P or PxQ", count);
    geometry->patch_height = size[0];
    geometry->patch_width = size[count - 1];
  }
  PetscCall(PsdOptionInt("-stride", "pixels between patches", 1, big, &geometry->stride, NULL));
  PetscCall(PsdOptionInt("-pool", "average over pool x pool regions; 1 = global", 1, big, &geometry->pool, NULL));
  PetscCall(PsdOptionReal("-pixel_shift", "subtracted from every pixel value (0..255)", PSD_ANY_REAL,
                          &geometry->pixel_shift, NULL));
  PetscCall(PsdOptionReal("-pixel_scale", "divides every pixel value after the shift", PSD_POSITIVE,
                          &geometry->pixel_scale, NULL));
  PetscCall(PsdOptionReal("-patch_normalize", "patch normalisation: E in squared raw pixel units; 0 = off",
                          PSD_NONNEGATIVE, &geometry->normalize, NULL));
  PetscCall(PsdOptionReal("-whiten", "ZCA whitening: EPS relative to the mean eigenvalue; 0 = off", PSD_NONNEGATIVE,
                          &patches->whiten, NULL));
  PetscCall(PsdOptionInt("-pca", "principal components to keep of a patch; 0 = all", 0, big, &patches->pca, NULL));
  PetscFunctionReturn(0);
}

static PetscErrorCode CheckGeometry(PsdPatches patches)
{
  PetscFunctionBeginUser;
  const PsdPatchGeometry *g = &patches->geometry;
  PsdCheckInput(g->patch_height <= g->height && g->patch_width <= g->width,
                "option -patch: found %" PetscInt_FMT "x%" PetscInt_FMT ", larger than the images, %" PetscInt_FMT
                "x%" PetscInt_FMT,
                g->patch_height, g->patch_width, g->height, g->width);
  patches->rows = (g->height - g->patch_height) / g->stride + 1;
  patches->columns = (g->width - g->patch_width) / g->stride + 1;
  PsdCheckInput(g->pool <= patches->rows && g->pool <= patches->columns,
                "option -pool: found %" PetscInt_FMT ", larger than the grid of patch positions, %" PetscInt_FMT
                "x%" PetscInt_FMT,
                g->pool, patches->rows, patches->columns);
  patches->q = g->channels * g->patch_height * g->patch_width;
  PsdCheckInput(((PetscInt64)patches->q + 1) * ((PetscInt64)patches->q + 2) / 2 <= PETSC_MAX_INT,
                "option -patch: patches of %" PetscInt_FMT " numbers need a PETSc with 64-bit indices", patches->q);
  PsdCheckInput(patches->pca <= patches->q,
                "option -pca: found %" PetscInt_FMT ", more than the %" PetscInt_FMT " numbers of a patch",
                patches->pca, patches->q);
  PetscFunctionReturn(0);
}

/* Sizes that follow from the geometry, and the work space of extraction. */
static PetscErrorCode SetUpGeometry(PsdPatches patches)
{
  PetscFunctionBeginUser;
  const PsdPatchGeometry *g = &patches->geometry;
  PetscCall(CheckGeometry(patches));
  patches->f = patches->q;
  patches->G = g->pool * g->pool;
  patches->positions = patches->rows * patches->columns;
  PetscCall(PetscFree4(patches->image, patches->patch_rows, patches->region_count, patches->square));
  PetscCall(PetscFree2(patches->product, patches->scales));
  PetscCall(PetscMalloc4((size_t)g->channels * g->height * g->width, &patches->image,
                         (size_t)PetscMax(2, patches->positions) * patches->q + PSD_ROWS_PADDING, &patches->patch_rows,
                         patches->G, &patches->region_count, (size_t)patches->q * patches->q, &patches->square));
  PetscCall(PetscMalloc2((size_t)patches->q * patches->q, &patches->product, (size_t)4 * g->height * g->width,
                         &patches->scales));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdPatchesSetImageSize(PsdPatches patches, PetscInt channels, PetscInt height, PetscInt width)
{
  PetscFunctionBeginUser;
  patches->geometry.channels = channels;
  patches->geometry.height = height;
  patches->geometry.width = width;
  if (patches->recipe) patches->geometry.pool = RecipePool(&patches->geometry);
  PetscCall(SetUpGeometry(patches));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdPatchesSetGeometry(PsdPatches patches, const PsdPatchGeometry *geometry)
{
  PetscFunctionBeginUser;
  patches->geometry = *geometry;
  patches->whiten = 0;
  patches->pca = 0;
  PetscCall(PetscFree2(patches->transform, patches->mean));
  PetscCall(SetUpGeometry(patches));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdPatchesSetTransform(PsdPatches patches, PetscInt f, const PetscReal transform[],
                                      const PetscReal mean[])
{
  PetscFunctionBeginUser;
  PetscCheck(f >= 1 && f <= patches->q, patches->comm, PETSC_ERR_ARG_OUTOFRANGE,
             "A transform of %" PetscInt_FMT " to %" PetscInt_FMT " numbers", patches->q, f);
  PetscCall(PetscFree2(patches->transform, patches->mean));
  PetscCall(PetscMalloc2((size_t)patches->q * f, &patches->transform, patches->q, &patches->mean));
  PetscCall(PetscArraycpy(patches->transform, transform, (size_t)patches->q * f));
  PetscCall(PetscArraycpy(patches->mean, mean, patches->q));
  patches->f = f;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdPatchesGetGeometry(PsdPatches patches, PsdPatchGeometry *geometry)
{
  PetscFunctionBeginUser;
  *geometry = patches->geometry;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdPatchesGetTransform(PsdPatches patches, const PetscReal *transform[], const PetscReal *mean[])
{
  PetscFunctionBeginUser;
  if (transform) *transform = patches->transform;
  if (mean) *mean = patches->mean;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdPatchesGetSizes(PsdPatches patches, PetscInt *q, PetscInt *f, PetscInt *G, PetscInt *positions)
{
  PetscFunctionBeginUser;
  if (q) *q = patches->q;
  if (f) *f = patches->f;
  if (G) *G = patches->G;
  if (positions) *positions = patches->positions;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdPatchesDestroy(PsdPatches *patches)
{
  PetscFunctionBeginUser;
  if (!*patches) PetscFunctionReturn(0);
  PetscCall(PetscFree2((*patches)->transform, (*patches)->mean));
  PetscCall(PetscFree4((*patches)->image, (*patches)->patch_rows, (*patches)->region_count, (*patches)->square));
  PetscCall(PetscFree2((*patches)->product, (*patches)->scales));
  PetscCall(PetscFree(*patches));
  PetscFunctionReturn(0);
}

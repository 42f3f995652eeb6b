/*
   PsdPatches: the geometry of patches and their preprocessing; options, checks, sizes.
*/
#include "patches_impl.h"
#include "lift.h"
#include "lift_impl.h"
#include "base/base.h"
#include "base/shared.h"
#include <stdio.h>

/* Beyond these work space and lists are larger than any memory. */
#define MOST_PIXELS 268435456.   /* of an image, in all channels, as of data sets */
#define MOST_NUMBERS 2147483648. /* in the patches of an image */
#define MOST_REGIONS 1000000.

/* Of pixels, when nothing else was said. */
#define FIRST_SHIFT 128
#define FIRST_SCALE 255

PetscErrorCode PsdPatchesCreate(MPI_Comm comm, PsdPatches *patches)
{
  PetscFunctionBeginUser;
  PetscCall(PetscNew(patches));
  PetscCall(PetscCommDuplicate(comm, &(*patches)->comm, NULL));
  (*patches)->geometry = (PsdPatchGeometry){.reduce = 1, .patch_height = 4, .patch_width = 4, .stride = 1, .pool = 1};
  (*patches)->geometry.pixel_shift = FIRST_SHIFT;
  (*patches)->geometry.pixel_scale = FIRST_SCALE;
  PetscFunctionReturn(0);
}

/* The finest pooling up to 4 x 4 that fits the grid of positions and whose D stays at what one core factorises in a
   few seconds; 2 x 2 at least where it fits. f: numbers in a patch of the program. */
static PetscInt RecipePool(const PsdPatchGeometry *g, PetscInt f)
{
  const PetscInt m = PsdPackedLength(f + 1);
  const PetscInt grid = PetscMin(g->height - g->patch_height, g->width - g->patch_width) / g->stride + 1;
  PetscInt pool = PetscMax(1, PetscMin(4, grid));
  while (pool > 2 && pool * pool * m > 6000) pool--;
  return pool;
}

/* What a run gets that asks for nothing: good on small colour and grey images alike (docs/guide.md, "Recipe"); of maps, whose
   places are patches already, those. */
static void UseRecipe(PsdPatches patches)
{
  PsdPatchGeometry *g = &patches->geometry;
  if (g->map) {
    g->patch_height = g->patch_width = 1;
    g->pool = PetscMin(2, PetscMin(g->height, g->width));
    return;
  }
  const PetscInt most = PetscMax(1, PetscMin(g->height, g->width) / 2), components = 32;
  patches->whiten = 0.01;
  g->patch_height = g->patch_width = PetscMin(g->channels == 1 ? 5 : 6, most);
  const PetscInt q = g->channels * g->patch_height * g->patch_width;
  g->normalize = patches->normalize = q > 1 ? 100 : 0;
  patches->pca = q > components ? components : 0;
  g->pool = RecipePool(g, PetscMin(q, components));
}

static PetscErrorCode LiftFromOptions(const char option[], PetscInt *lift)
{
  PetscFunctionBeginUser;
  PsdChoice choices[PSD_LIFTS];
  for (PetscInt k = 0; k < PSD_LIFTS; k++)
    choices[k] = (PsdChoice){.name = PsdLiftNumber(k)->name, .help = PsdLiftNumber(k)->help};
  PetscCall(PsdOptionChoice(option, "what neurons make of a patch", PSD_LIFTS, choices, lift, NULL));
  PetscFunctionReturn(0);
}

/* The options of one branch; prefix: "" or "branch2_". */
static PetscErrorCode SetBranchFromOptions(PsdPatches patches, const char prefix[])
{
  PetscFunctionBeginUser;
  PsdPatchGeometry *geometry = &patches->geometry;
  PetscInt size[2], count = 2;
  PetscBool given;
  const PetscInt big = 65535;
  char name[64];
#define NAME(option) (snprintf(name, sizeof(name), "-%s" option, prefix), name)
  PetscCall(PsdOptionInt(NAME("reduce"), "average the image over so many pixels along each axis first", 1, 64,
                         &geometry->reduce, NULL));
  PetscCall(PsdOptionIntList(NAME("patch"), "patch height and width, P or PxQ [4]", 'x', 1, big, size, &count, &given));
  if (given) {
    PsdCheckInput(count == 1 || count == 2, "option %s: found %" PetscInt_FMT " numbers, expected P or PxQ",
                  NAME("patch"), count);
    geometry->patch_height = size[0];
    geometry->patch_width = size[count - 1];
  }
  PetscCall(PsdOptionInt(NAME("stride"), "pixels between patches", 1, big, &geometry->stride, NULL));
  PetscCall(PsdOptionInt(NAME("pool"), "average over pool x pool regions; 1 = global", 1, big, &geometry->pool, NULL));
  PetscCall(PsdOptionInt(NAME("pool_overlap"), "positions a region reaches into its neighbours on every side", 0, big,
                         &geometry->overlap, NULL));
  PetscCall(PsdOptionReal(NAME("pixel_shift"), "subtracted from every pixel value (0..255)", PSD_ANY_REAL,
                          &geometry->pixel_shift, &patches->asked.shift));
  PetscCall(PsdOptionReal(NAME("pixel_scale"), "divides every pixel value after the shift", PSD_POSITIVE,
                          &geometry->pixel_scale, &patches->asked.scale));
  PetscCall(PsdOptionReal(NAME("patch_normalize"), "patch normalisation: E in squared raw pixel units; 0 = off",
                          PSD_NONNEGATIVE, &geometry->normalize, NULL));
  PetscCall(PsdOptionReal(NAME("whiten"), "ZCA whitening: EPS relative to the mean eigenvalue; 0 = off",
                          PSD_NONNEGATIVE, &patches->whiten, NULL));
  PetscCall(PsdOptionInt(NAME("pca"), "principal components to keep of a patch; 0 = all", 0, big, &patches->pca, NULL));
  PetscCall(LiftFromOptions(NAME("lift"), &geometry->lift));
  PetscCall(PsdOptionInt(NAME("stage"),
                         "of a chain of stages: whose map it is cut of, counted from the images; 0 = the last", 0,
                         PSD_MOST_STAGES, &geometry->stage, NULL));
  PetscBool responses = (PetscBool)geometry->responses;
  PetscCall(PsdOptionBool(
      NAME("responses"), "cut of the responses that the stage keeps beside its map (-layer1_responses), not of the map",
      &responses, NULL));
  geometry->responses = responses;
#undef NAME
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadOptions(PsdPatches patches)
{
  PetscFunctionBeginUser;
  PetscBool given, any = PETSC_FALSE;
  PetscInt branches = 1;
  static const char *const shaping[] = {"-branches",     "-reduce",          "-patch",  "-stride", "-pool",
                                        "-pool_overlap", "-patch_normalize", "-whiten", "-pca",    "-lift"};
  for (size_t k = 0; k < sizeof(shaping) / sizeof(*shaping); k++) {
    PetscCall(PsdOptionsGiven(shaping[k], &given));
    any = (PetscBool)(any || given);
  }
  patches->recipe = (PetscBool)!any;
  PetscCall(PsdOptionsHeading(
      "Patches (none of -patch ... -lift given: 6x6, with one channel 5x5, 32 principal components at most, "
      "pool 2 to 4, normalised, whitened)"));
  PetscCall(PsdOptionInt("-branches",
                         "kinds of patches; those of the second are -branch2_patch, ... to -branch2_lift, and so on", 1,
                         PSD_MOST_BRANCHES, &branches, NULL));
  if (branches == 1) {
    PetscCall(SetBranchFromOptions(patches, ""));
    PetscFunctionReturn(0);
  }
  PetscCall(PsdPatchesSetBranches(patches, branches));
  PetscCall(SetBranchFromOptions(patches->branch[0], ""));
  for (PetscInt k = 1; k < branches; k++) {
    char prefix[32], title[64];
    PetscCall(PetscSNPrintf(prefix, sizeof(prefix), "branch%" PetscInt_FMT "_", k + 1));
    PetscCall(PetscSNPrintf(title, sizeof(title), "Patches of branch %" PetscInt_FMT, k + 1));
    PetscCall(PsdOptionsHeading(title));
    PetscCall(SetBranchFromOptions(patches->branch[k], prefix));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PsdPatchesSetFromOptions(PsdPatches patches)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(patches);
  PsdCallWithPrefix(patches->prefix, ReadOptions(patches));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdPatchesSetOptionsPrefix(PsdPatches patches, const char prefix[])
{
  PetscFunctionBeginUser;
  PsdCheckHandle(patches);
  PetscCall(PsdOptionsKeepPrefix(prefix, &patches->prefix));
  PetscFunctionReturn(0);
}

static PetscErrorCode CheckGeometry(PsdPatches patches)
{
  PetscFunctionBeginUser;
  PsdPatchGeometry *g = &patches->geometry;
  g->reduce = PetscMax(1, g->reduce);
  PetscCheck(g->lift >= 0 && g->lift < PSD_LIFTS, patches->comm, PETSC_ERR_ARG_OUTOFRANGE, "Lift %" PetscInt_FMT,
             g->lift);
  PsdCheckInput(!g->map || (g->reduce == 1 && !(g->normalize > 0)),
                "option -%s: it is of images, and patches are cut of maps: see -layer1_pool and -layer1_normalize",
                g->reduce > 1 ? "reduce" : "patch_normalize");
  PsdCheckInput(g->map || g->stage == 0,
                "option -stage: found %" PetscInt_FMT
                ", but patches are cut of images: expected -layer1_filters as well",
                g->stage);
  PsdCheckInput(g->map || !g->responses,
                "option -responses: patches are cut of images: expected -layer1_filters and -layer1_responses as well");
  PsdCheckInput(PsdPatchesLiftOf(patches)->transform || !(patches->whiten > 0 || patches->pca > 0),
                "options -whiten and -pca of a branch with -lift %s: its patches are taken as they are",
                PsdPatchesLiftOf(patches)->name);
  patches->height = g->height / g->reduce;
  patches->width = g->width / g->reduce;
  PsdCheckInput(g->patch_height <= patches->height && g->patch_width <= patches->width,
                "option -patch: found %" PetscInt_FMT "x%" PetscInt_FMT ", larger than the images, %" PetscInt_FMT
                "x%" PetscInt_FMT "%s",
                g->patch_height, g->patch_width, patches->height, patches->width,
                g->reduce > 1 ? " after -reduce" : "");
  PsdCheckInput((PetscReal)g->channels * g->height * g->width <= MOST_PIXELS,
                "images of %" PetscInt_FMT "x%" PetscInt_FMT "x%" PetscInt_FMT ", expected at most %.0f numbers",
                g->channels, g->height, g->width, MOST_PIXELS);
  patches->rows = (patches->height - g->patch_height) / g->stride + 1;
  patches->columns = (patches->width - g->patch_width) / g->stride + 1;
  PsdCheckInput(g->pool <= patches->rows && g->pool <= patches->columns,
                "option -pool: found %" PetscInt_FMT ", larger than the grid of patch positions, %" PetscInt_FMT
                "x%" PetscInt_FMT,
                g->pool, patches->rows, patches->columns);
  PsdCheckInput((PetscReal)g->pool * g->pool <= MOST_REGIONS,
                "option -pool: found %" PetscInt_FMT ", expected at most %.0f", g->pool,
                (double)PetscSqrtReal(MOST_REGIONS));
  PsdCheckInput(g->overlap < patches->rows && g->overlap < patches->columns,
                "option -pool_overlap: found %" PetscInt_FMT ", as large as the grid of patch positions, %" PetscInt_FMT
                "x%" PetscInt_FMT,
                g->overlap, patches->rows, patches->columns);
  const PetscReal numbers = (PetscReal)g->channels * g->patch_height * g->patch_width;
  PsdCheckInput((numbers + 1) * (numbers + 2) / 2 <= (PetscReal)PETSC_MAX_INT,
                "option -patch: patches of %.0f numbers need a PETSc with 64-bit indices", (double)numbers);
  patches->q = g->channels * g->patch_height * g->patch_width;
  PsdCheckInput(patches->pca <= patches->q,
                "option -pca: found %" PetscInt_FMT ", more than the %" PetscInt_FMT " numbers of a patch",
                patches->pca, patches->q);
  /* what extraction multiplies them by must not take them out of range */
  const PetscReal weight = PsdPixelsWeight(g), q = (PetscReal)patches->q;
  PsdCheckInput(!PetscIsInfOrNanReal(q * q * weight * weight * g->normalize),
                "option -patch_normalize: found %g, too large", (double)g->normalize);
  PsdCheckInput(!PetscIsInfOrNanReal(weight * g->pixel_shift) && !PetscIsInfOrNanReal(weight * g->pixel_scale),
                "options -pixel_shift and -pixel_scale: found %g and %g, too large", (double)g->pixel_shift,
                (double)g->pixel_scale);
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
  const PetscInt64 positions = PsdPatchesCountPositions(patches);
  PsdCheckInput(positions <= PETSC_MAX_INT,
                "option -pool_overlap: %" PetscInt64_FMT " patches an image need a PETSc with 64-bit indices",
                positions);
  PsdCheckInput((PetscReal)positions * patches->q <= MOST_NUMBERS,
                "option -patch: %" PetscInt64_FMT " patches an image of %" PetscInt_FMT
                " numbers, expected at most %.0f numbers",
                positions, patches->q, MOST_NUMBERS);
  patches->positions = (PetscInt)positions;
  PetscCall(PetscFree4(patches->image, patches->patch_rows, patches->region_count, patches->square));
  PetscCall(PetscFree2(patches->product, patches->scales));
  PetscCall(PetscMalloc4((size_t)g->channels * g->height * g->width, &patches->image,
                         (size_t)PetscMax(2, patches->positions) * patches->q + PSD_ROWS_PADDING, &patches->patch_rows,
                         patches->G, &patches->region_count, (size_t)patches->q * patches->q, &patches->square));
  PetscCall(PetscMalloc2((size_t)patches->q * patches->q, &patches->product, (size_t)4 * g->height * g->width,
                         &patches->scales));
  PetscCall(PsdPatchesCountRegions(patches, patches->region_count));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdPatchesSetImageSize(PsdPatches patches, PetscInt channels, PetscInt height, PetscInt width)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(patches);
  for (PetscInt k = 0; k < patches->branches; k++)
    PetscCall(PsdPatchesSetImageSize(patches->branch[k], channels, height, width));
  if (patches->branches) PetscFunctionReturn(0);
  patches->geometry.channels = channels;
  patches->geometry.height = height;
  patches->geometry.width = width;
  if (patches->recipe) UseRecipe(patches);
  PetscCall(SetUpGeometry(patches));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdPatchesSetPlace(PsdPatches patches, PetscInt stage, PetscInt begin)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(patches);
  patches->geometry.stage = stage;
  patches->geometry.begin = begin;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdPatchesSetPixels(PsdPatches patches, const PsdPixels *pixels)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(patches);
  for (PetscInt b = 0; b < patches->branches; b++) PetscCall(PsdPatchesSetPixels(patches->branch[b], pixels));
  if (patches->branches) PetscFunctionReturn(0);
  PsdPixelChoices asked = patches->asked;
  asked.normalize = (PetscBool)!patches->recipe; /* which alone normalises without having been asked */
  PsdPixelsSettle(pixels, asked, patches->normalize, &patches->geometry);
  if (patches->q > 0) PetscCall(CheckGeometry(patches));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdPatchesSetGeometry(PsdPatches patches, const PsdPatchGeometry *geometry)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(patches);
  patches->geometry = *geometry;
  patches->asked = (PsdPixelChoices){PETSC_TRUE, PETSC_TRUE, PETSC_TRUE};
  patches->recipe = PETSC_FALSE;
  patches->whiten = 0;
  patches->pca = 0;
  PetscCall(PetscFree2(patches->transform, patches->mean));
  PetscCall(SetUpGeometry(patches));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdPatchesSetPreprocessing(PsdPatches patches, PetscReal whiten, PetscInt pca)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(patches);
  PsdCheckInput(pca >= 0 && pca <= patches->q,
                "%" PetscInt_FMT " principal components, expected 0 to %" PetscInt_FMT ", the numbers of a patch", pca,
                patches->q);
  PsdCheckInput(PsdPatchesLiftOf(patches)->transform || !(whiten > 0 || pca > 0),
                "whitening or principal components of patches whose lift is %s, which takes them as they are",
                PsdPatchesLiftOf(patches)->name);
  patches->whiten = whiten;
  patches->pca = pca;
  PetscFunctionReturn(0);
}

static PetscErrorCode TakeMaps(PsdPatches patches)
{
  PetscFunctionBeginUser;
  PsdPatchGeometry *g = &patches->geometry;
  PsdCheckInput(g->pixel_shift == FIRST_SHIFT && g->pixel_scale == FIRST_SCALE,
                "options -pixel_shift and -pixel_scale: they are of images, and patches are cut of maps, whose numbers "
                "are taken as they are");
  g->map = PETSC_TRUE;
  g->pixel_shift = 0;
  g->pixel_scale = 1;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdPatchesSetMaps(PsdPatches patches, PsdMaps maps)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(patches);
  PetscCheck(maps && !patches->maps, patches->comm, PETSC_ERR_ARG_WRONGSTATE, "Patches take maps once");
  for (PetscInt k = 0; k < patches->branches; k++) PetscCall(TakeMaps(patches->branch[k]));
  if (!patches->branches) PetscCall(TakeMaps(patches));
  PsdSharedHold(maps);
  patches->maps = maps;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdPatchesGetMaps(PsdPatches patches, PsdMaps *maps)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(patches);
  *maps = patches->maps;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdPatchesSetTransform(PsdPatches patches, PetscInt f, const PetscReal transform[],
                                      const PetscReal mean[])
{
  PetscFunctionBeginUser;
  PsdCheckHandle(patches);
  PetscCheck(f >= 1 && f <= patches->q, patches->comm, PETSC_ERR_ARG_OUTOFRANGE,
             "A transform of %" PetscInt_FMT " to %" PetscInt_FMT " numbers", patches->q, f);
  PetscCheck(PsdPatchesLiftOf(patches)->transform, patches->comm, PETSC_ERR_ARG_WRONGSTATE,
             "Patches of linear neurons are not transformed");
  PetscCall(PetscFree2(patches->transform, patches->mean));
  PetscCall(PetscMalloc2((size_t)patches->q * f, &patches->transform, patches->q, &patches->mean));
  PetscCall(PetscArraycpy(patches->transform, transform, (size_t)patches->q * f));
  PetscCall(PetscArraycpy(patches->mean, mean, patches->q));
  patches->f = f;
  PetscCall(PsdPatchesMeasureTransform(patches));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdPatchesGetGeometry(PsdPatches patches, PsdPatchGeometry *geometry)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(patches);
  *geometry = patches->branches ? patches->branch[0]->geometry : patches->geometry;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdPatchesGetComm(PsdPatches patches, MPI_Comm *comm)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(patches);
  *comm = patches->comm;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdPatchesGetPreprocessing(PsdPatches patches, PetscReal *whiten, PetscInt *pca)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(patches);
  const PsdPatches first = patches->branches ? patches->branch[0] : patches;
  if (whiten) *whiten = first->whiten;
  if (pca) *pca = first->pca;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdPatchesGetTransform(PsdPatches patches, const PetscReal *transform[], const PetscReal *mean[])
{
  PetscFunctionBeginUser;
  PsdCheckHandle(patches);
  const PsdPatches first = patches->branches ? patches->branch[0] : patches;
  if (transform) *transform = first->transform;
  if (mean) *mean = first->mean;
  PetscFunctionReturn(0);
}

void PsdPatchesGetDimensions(PsdPatches patches, PetscInt f[], PetscBool vector[])
{
  PetscInt g = 0;
  for (PetscInt k = 0; k < patches->branches; k++) {
    PsdPatchesGetDimensions(patches->branch[k], f + g, vector ? vector + g : NULL);
    g += patches->branch[k]->G;
  }
  for (g = 0; g < patches->G; g++) {
    f[g] = PsdPatchesFinalDimension(patches);
    if (vector) vector[g] = PsdPatchesLiftOf(patches)->vector;
  }
}

PetscBool PsdPatchesHaveVectors(PsdPatches patches)
{
  for (PetscInt k = 0; k < patches->branches; k++)
    if (PsdPatchesHaveVectors(patches->branch[k])) return PETSC_TRUE;
  return (PetscBool)(!patches->branches && PsdPatchesLiftOf(patches)->vector);
}

PetscBool PsdPatchesHaveMatrices(PsdPatches patches)
{
  for (PetscInt k = 0; k < patches->branches; k++)
    if (PsdPatchesHaveMatrices(patches->branch[k])) return PETSC_TRUE;
  return (PetscBool)(!patches->branches && !PsdPatchesLiftOf(patches)->vector);
}

PetscErrorCode PsdPatchesGetSizes(PsdPatches patches, PetscInt *q, PetscInt *f, PetscInt *G, PetscInt *positions)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(patches);
  PetscInt sizes[4] = {patches->q, PsdPatchesFinalDimension(patches), patches->G, patches->positions};
  for (PetscInt k = 0; k < patches->branches; k++) {
    const PsdPatches branch = patches->branch[k];
    sizes[0] = PetscMax(sizes[0], branch->q);
    sizes[2] += branch->G;
    sizes[3] += branch->positions;
  }
  if (q) *q = sizes[0];
  if (f) *f = sizes[1];
  if (G) *G = sizes[2];
  if (positions) *positions = sizes[3];
  PetscFunctionReturn(0);
}

PetscErrorCode PsdPatchesSetBranches(PsdPatches patches, PetscInt count)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(patches);
  PetscCheck(!patches->branches && !patches->q && count >= 1 && count <= PSD_MOST_BRANCHES, patches->comm,
             PETSC_ERR_ARG_WRONGSTATE, "%" PetscInt_FMT " branches of patches that are something already", count);
  if (count == 1) PetscFunctionReturn(0); /* the patches themselves */
  patches->branches = count;
  for (PetscInt k = 0; k < count; k++) PetscCall(PsdPatchesCreate(patches->comm, &patches->branch[k]));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdPatchesGetBranchCount(PsdPatches patches, PetscInt *count)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(patches);
  *count = PetscMax(1, patches->branches);
  PetscFunctionReturn(0);
}

PetscErrorCode PsdPatchesGetBranch(PsdPatches patches, PetscInt k, PsdPatches *branch)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(patches);
  PetscCheck(k >= 0 && k < PetscMax(1, patches->branches), patches->comm, PETSC_ERR_ARG_OUTOFRANGE,
             "Branch %" PetscInt_FMT " of %" PetscInt_FMT, k, patches->branches);
  *branch = patches->branches ? patches->branch[k] : patches;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdPatchesDestroy(PsdPatches *patches)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(patches);
  if (!*patches) PetscFunctionReturn(0);
  for (PetscInt k = 0; k < (*patches)->branches; k++) PetscCall(PsdPatchesDestroy(&(*patches)->branch[k]));
  PetscCall(PetscFree((*patches)->prefix));
  PetscCall(PetscFree2((*patches)->transform, (*patches)->mean));
  PetscCall(PetscFree4((*patches)->image, (*patches)->patch_rows, (*patches)->region_count, (*patches)->square));
  PetscCall(PetscFree2((*patches)->product, (*patches)->scales));
  PetscCall(PsdSharedRelease((*patches)->maps));
  PetscCall(PetscCommDestroy(&(*patches)->comm));
  PetscCall(PetscFree(*patches));
  PetscFunctionReturn(0);
}

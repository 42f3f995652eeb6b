/*
   PsdMaps: the stage as an object: sizes, its arrays, and the order in which it is fitted: transform of the patches,
   filters, transform of the channels.
*/
#include "base/base.h"
#include "maps_impl.h"
#include "mirror_maps.h"
#include "patches/mirror.h"

#define FIRST_SIDE 9
#define MOST_SCALE 1e6          /* and least 1/MOST_SCALE: of responses */
#define MOST_NUMBERS 268435456. /* of a map, and of responses: as of an image */

static PetscErrorCode Free(void *object)
{
  PetscFunctionBeginUser;
  PsdMaps it = object;
  PetscCall(PsdPatchesDestroy(&it->patches));
  PetscCall(PsdPatchesDestroy(&it->channels));
  PetscCall(PetscFree(it->filters));
  PetscCall(PetscFree3(it->w, it->above, it->below));
  PetscCall(PetscFree2(it->reduce, it->centre));
  PetscCall(PetscFree4(it->raw_channel, it->raw_sign, it->channel, it->channel_sign));
  PetscCall(PetscFree2(it->rows, it->count));
  PetscCall(PetscFree4(it->single, it->response, it->sums, it->reduced));
  PetscCall(PetscFree(it->input));
  PetscCall(PetscFree(it->coarse));
  PetscCall(PsdSharedRelease(it->lower));
  PetscCall(PetscCommDestroy(&it->comm));
  PetscCall(PetscFree(it));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdMapsCreate(MPI_Comm comm, PsdMaps *maps)
{
  PetscFunctionBeginUser;
  PsdMaps it;
  PetscCall(PetscNew(&it));
  PetscCall(PetscCommDuplicate(comm, &it->comm, NULL));
  it->shared = (PsdShared){.holders = 1, .destroy = Free};
  it->map = (PsdMapGeometry){
      .count = 256, .threshold = 0.5, .split = PETSC_TRUE, .channels = 48, .normalize = 0.1, .response_scale = 1};
  it->cut = (PsdPatchGeometry){.reduce = 1, .patch_height = 6, .patch_width = 6, .stride = 1, .pool = FIRST_SIDE};
  it->cut.pixel_shift = 128;
  it->cut.pixel_scale = 255;
  it->cut.normalize = it->normalize = 10;
  it->whiten = 0.1;
  it->pca = 80;
  it->channel_whiten = 0.1;
  it->kind = PsdFilterKinds[0];
  it->seed = 1;
  *maps = it;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdMapsDestroy(PsdMaps *maps)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(maps);
  PetscCall(PsdSharedRelease(*maps));
  *maps = NULL;
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- sizes */

/* The patches that reduce the channels: every place of the map is one. */
static PetscErrorCode SetUpChannels(PsdMaps maps)
{
  PetscFunctionBeginUser;
  const PetscInt k = maps->map.channels, side = maps->cut.pool;
  const PsdPatchGeometry places = {.channels = maps->raw_channels,
                                   .height = side,
                                   .width = side,
                                   .reduce = 1,
                                   .patch_height = 1,
                                   .patch_width = 1,
                                   .stride = 1,
                                   .pool = 1,
                                   .pixel_scale = 1,
                                   .map = PETSC_TRUE};
  PsdCheckInput(k <= maps->raw_channels,
                "option -layer1_channels: found %" PetscInt_FMT ", more than the %" PetscInt_FMT " of the filters", k,
                maps->raw_channels);
  if (k == 0) PetscFunctionReturn(0);
  PetscCall(PsdPatchesCreate(maps->comm, &maps->channels));
  PetscCall(PsdPatchesSetGeometry(maps->channels, &places));
  PetscCall(PsdPatchesSetPreprocessing(maps->channels, maps->channel_whiten, k));
  PetscFunctionReturn(0);
}

static PetscErrorCode CreateWork(PsdMaps maps)
{
  PetscFunctionBeginUser;
  const size_t places = (size_t)maps->cut.pool * maps->cut.pool, q = (size_t)maps->q;
  PetscInt positions;
  PetscCall(PsdPatchesGetSizes(maps->patches, NULL, NULL, NULL, &positions));
  PetscCall(PetscFree2(maps->rows, maps->count));
  PetscCall(PetscFree4(maps->single, maps->response, maps->sums, maps->reduced));
  PetscCall(PetscFree(maps->coarse));
  PetscCall(PetscMalloc1((size_t)maps->map.responses * maps->map.responses * maps->raw_channels, &maps->coarse));
  PetscCall(PetscMalloc2(positions * q, &maps->rows, places, &maps->count));
  PetscCall(PetscMalloc4(positions * q, &maps->single, (size_t)positions * maps->map.count, &maps->response,
                         places * maps->raw_channels, &maps->sums, places * PsdMapsChannels(maps), &maps->reduced));
  PetscFunctionReturn(0);
}

/* That work space is no larger than any memory. */
static PetscErrorCode CheckSizes(const PsdPatchGeometry *cut, const PsdMapGeometry *map)
{
  PetscFunctionBeginUser;
  const PetscInt reduce = PetscMax(1, cut->reduce);
  const PetscInt rows = (cut->height / reduce - cut->patch_height) / cut->stride + 1;
  const PetscInt columns = (cut->width / reduce - cut->patch_width) / cut->stride + 1;
  const PetscReal responses = (PetscReal)rows * (PetscReal)columns * (PetscReal)map->count;
  const PetscReal numbers = (PetscReal)cut->pool * (PetscReal)cut->pool * (map->split ? 2 : 1) * (PetscReal)map->count;
  PsdCheckInput(
      responses <= MOST_NUMBERS && numbers <= MOST_NUMBERS,
      "options -layer1_count and -layer1_pool: %.0f responses of an image and maps of %.0f numbers, expected at "
      "most %.0f",
      (double)responses, (double)numbers, MOST_NUMBERS);
  PsdCheckInput(map->responses == 0 || (map->responses > 0 && cut->pool % map->responses == 0),
                "option -layer1_responses: found %" PetscInt_FMT ", expected a divisor of -layer1_pool, %" PetscInt_FMT,
                map->responses, cut->pool);
  PsdCheckInput(map->response_scale == 0 ||
                    (map->response_scale >= 1 / MOST_SCALE && map->response_scale <= MOST_SCALE),
                "option -layer1_response_scale: found %g, expected %g to %g", (double)map->response_scale,
                1 / MOST_SCALE, MOST_SCALE);
  PetscFunctionReturn(0);
}

/* That patches are cut of what there is. */
static PetscErrorCode CheckBelow(PsdMaps maps, const PsdPatchGeometry *cut)
{
  PetscFunctionBeginUser;
  PetscInt channels = cut->channels, height = cut->height, width = cut->width;
  if (maps->lower) PetscCall(PsdMapsGetSize(maps->lower, &channels, &height, &width));
  PetscCheck(cut->map == (PetscBool)(maps->lower != NULL) && channels == cut->channels && height == cut->height &&
                 width == cut->width,
             maps->comm, PETSC_ERR_ARG_INCOMP,
             "Patches of %" PetscInt_FMT "x%" PetscInt_FMT "x%" PetscInt_FMT " are not of the map below", cut->channels,
             cut->height, cut->width);
  PetscFunctionReturn(0);
}

PetscErrorCode PsdMapsSetGeometry(PsdMaps maps, const PsdPatchGeometry *cut, const PsdMapGeometry *map)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(maps);
  PetscCall(CheckSizes(cut, map));
  PetscCall(CheckBelow(maps, cut));
  maps->cut = *cut;
  maps->map = *map;
  maps->raw_channels = (map->split ? 2 : 1) * map->count;
  PetscCall(PsdPatchesDestroy(&maps->patches));
  PetscCall(PsdPatchesDestroy(&maps->channels));
  PetscCall(PetscFree(maps->filters));
  PetscCall(PetscFree2(maps->reduce, maps->centre));
  PetscCall(PsdPatchesCreate(maps->comm, &maps->patches));
  PetscCall(PsdPatchesSetGeometry(maps->patches, cut));
  PetscCall(PsdPatchesGetSizes(maps->patches, &maps->q, NULL, NULL, NULL));
  PetscCall(SetUpChannels(maps));
  PetscCall(PsdMapsSetUpMirror(maps));
  PetscCall(CreateWork(maps));
  PetscFunctionReturn(0);
}

/* Patches of few numbers have them all. */
static PetscErrorCode SetImageSize(PsdMaps maps, PetscInt channels, PetscInt height, PetscInt width)
{
  PetscFunctionBeginUser;
  PsdPatchGeometry cut = maps->cut;
  const PsdMapGeometry map = maps->map;
  if (maps->filters) { /* of patches that are settled */
    cut = PsdMapsLowest(maps)->cut;
    PsdCheckInput(channels == cut.channels && height == cut.height && width == cut.width,
                  "images of %" PetscInt_FMT "x%" PetscInt_FMT "x%" PetscInt_FMT
                  ", but the filters before the patches are of images of %" PetscInt_FMT "x%" PetscInt_FMT
                  "x%" PetscInt_FMT,
                  channels, height, width, cut.channels, cut.height, cut.width);
    PetscFunctionReturn(0);
  }
  cut.channels = channels;
  cut.height = height;
  cut.width = width;
  cut.shared = maps->mirror;
  const PetscInt rows = (height - cut.patch_height) / cut.stride + 1,
                 columns = (width - cut.patch_width) / cut.stride + 1;
  PsdCheckInput(cut.patch_height <= height && cut.patch_width <= width,
                "option -layer1_patch: found %" PetscInt_FMT "x%" PetscInt_FMT
                ", larger than the images, %" PetscInt_FMT "x%" PetscInt_FMT,
                cut.patch_height, cut.patch_width, height, width);
  PsdCheckInput(cut.pool <= rows && cut.pool <= columns,
                "option -layer1_pool: found %" PetscInt_FMT ", larger than the grid of patch positions, %" PetscInt_FMT
                "x%" PetscInt_FMT,
                cut.pool, rows, columns);
  PetscCall(PsdMapsSetGeometry(maps, &cut, &map));
  const PetscInt pca = maps->pca >= maps->q ? 0 : maps->pca;
  PetscCall(PsdPatchesSetPreprocessing(maps->patches, maps->whiten, pca));
  PetscFunctionReturn(0);
}

/* Each branch is of the map of its stage. */
static PetscErrorCode PlaceBranches(PsdPatches patches, PsdMaps maps)
{
  PetscFunctionBeginUser;
  PetscInt branches, channels, height, width, begin;
  PsdPatches branch;
  PsdPatchGeometry g;
  PetscCall(PsdPatchesGetBranchCount(patches, &branches));
  for (PetscInt b = 0; b < branches; b++) {
    PetscCall(PsdPatchesGetBranch(patches, b, &branch));
    PetscCall(PsdPatchesGetGeometry(branch, &g));
    PetscCall(PsdMapsHandOn(maps, g.stage, g.responses));
  }
  PsdCheckInput(maps->map.responses == 0 || maps->responses_handed[PsdMapsDepth(maps) - 1],
                "option -layer1_responses: expected a branch with -responses as well, such as -branch2_responses");
  for (PetscInt b = 0; b < branches; b++) {
    PetscCall(PsdPatchesGetBranch(patches, b, &branch));
    PetscCall(PsdPatchesGetGeometry(branch, &g));
    PetscCall(PsdMapsGetPlace(maps, g.stage, g.responses, &channels, &height, &width, &begin));
    if (maps->mirror) PsdPatchesShareMiddle(branch);
    PetscCall(PsdPatchesSetImageSize(branch, channels, height, width));
    PetscCall(PsdPatchesSetPlace(branch, g.stage == PsdMapsDepth(maps) ? 0 : g.stage, begin));
    PsdMapsTellMirror(maps, branch);
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PsdMapsSetSizes(PsdPatches patches, PetscInt channels, PetscInt height, PetscInt width)
{
  PetscFunctionBeginUser;
  PsdMaps maps;
  PetscCall(PsdPatchesGetMaps(patches, &maps));
  if (maps) {
    PetscCall(SetImageSize(maps, channels, height, width));
    PetscCall(PlaceBranches(patches, maps));
  } else {
    PetscCall(PsdPatchesSetImageSize(patches, channels, height, width));
  }
  PetscFunctionReturn(0);
}

/* Patches of a stage that has no filters yet are cut as the images' numbers ask for. */
static PetscErrorCode SettlePixels(PsdMaps maps, const PsdPixels *pixels)
{
  PetscFunctionBeginUser;
  PsdPixelsSettle(pixels, maps->asked, maps->normalize, &maps->cut);
  const PetscInt pca = maps->pca >= maps->q ? 0 : maps->pca;
  PetscCall(PsdPatchesSetGeometry(maps->patches, &maps->cut));
  PetscCall(PsdPatchesSetPreprocessing(maps->patches, maps->whiten, pca));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdMapsSetPixels(PsdPatches patches, const PsdPixels *pixels)
{
  PetscFunctionBeginUser;
  PsdMaps maps;
  PetscCall(PsdPatchesGetMaps(patches, &maps));
  if (!maps) {
    PetscCall(PsdPatchesSetPixels(patches, pixels));
    PetscFunctionReturn(0);
  }
  maps = PsdMapsLowest(maps);
  const PsdPatchGeometry *cut = &maps->cut;
  PsdCheckInput(!maps->filters ||
                    ((cut->bits == 16) == (pixels->bits == 16) && cut->step == pixels->step && cut->low == pixels->low),
                "images of %" PetscInt_FMT " bits a pixel%s, but the filters before the patches are of others",
                pixels->bits, pixels->step > 0 ? ", of real numbers" : "");
  if (!maps->filters) PetscCall(SettlePixels(maps, pixels));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdMapsGetSize(PsdMaps maps, PetscInt *channels, PetscInt *height, PetscInt *width)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(maps);
  if (channels) *channels = PsdMapsChannels(maps);
  if (height) *height = maps->cut.pool;
  if (width) *width = maps->cut.pool;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdMapsGetComm(PsdMaps maps, MPI_Comm *comm)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(maps);
  *comm = maps->comm;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdMapsGetRequest(PsdMaps maps, PsdMapRequest *request)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(maps);
  *request = (PsdMapRequest){.branch = maps->branch,
                             .seed = maps->seed,
                             .mirror = maps->mirror,
                             .whiten = maps->whiten,
                             .pca = maps->pca,
                             .channel_whiten = maps->channel_whiten};
  PetscCall(PetscStrncpy(request->model, maps->model, sizeof(request->model)));
  PetscCall(PetscStrncpy(request->kind, maps->kind->name, sizeof(request->kind)));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdMapsGetGeometry(PsdMaps maps, PsdPatchGeometry *cut, PsdMapGeometry *map)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(maps);
  if (cut) *cut = maps->cut;
  if (map) *map = maps->map;
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- arrays */

PetscErrorCode PsdMapsSetFilters(PsdMaps maps, PetscInt f, const PetscReal transform[], const PetscReal mean[],
                                 const PetscReal filters[])
{
  PetscFunctionBeginUser;
  PsdCheckHandle(maps);
  PetscInt own;
  if (transform) PetscCall(PsdPatchesSetTransform(maps->patches, f, transform, mean));
  PetscCall(PsdPatchesGetSizes(maps->patches, NULL, &own, NULL, NULL));
  PetscCheck(f == own, maps->comm, PETSC_ERR_ARG_SIZ, "Filters of %" PetscInt_FMT " numbers, not %" PetscInt_FMT, f,
             own);
  PetscCall(PetscFree(maps->filters));
  PetscCall(PetscMalloc1((size_t)maps->map.count * f, &maps->filters));
  PetscCall(PetscArraycpy(maps->filters, filters, (size_t)maps->map.count * f));
  maps->f = f;
  PetscCall(PsdMapsFold(maps));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdMapsSetChannels(PsdMaps maps, const PetscReal transform[], const PetscReal mean[])
{
  PetscFunctionBeginUser;
  PsdCheckHandle(maps);
  PetscCheck(maps->channels, maps->comm, PETSC_ERR_ARG_WRONGSTATE, "The channels are not reduced");
  PetscCall(PsdPatchesSetTransform(maps->channels, maps->map.channels, transform, mean));
  PetscCall(PsdMapsFoldChannels(maps));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdMapsGetFilters(PsdMaps maps, PetscInt *f, const PetscReal *transform[], const PetscReal *mean[],
                                 const PetscReal *filters[])
{
  PetscFunctionBeginUser;
  PsdCheckHandle(maps);
  PetscInt own;
  PetscCall(PsdPatchesGetSizes(maps->patches, NULL, &own, NULL, NULL));
  PetscCall(PsdPatchesGetTransform(maps->patches, transform, mean));
  if (f) *f = own;
  if (filters) *filters = maps->filters;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdMapsGetChannels(PsdMaps maps, const PetscReal *transform[], const PetscReal *mean[])
{
  PetscFunctionBeginUser;
  PsdCheckHandle(maps);
  if (transform) *transform = NULL;
  if (mean) *mean = NULL;
  if (maps->channels) PetscCall(PsdPatchesGetTransform(maps->channels, transform, mean));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- fitting */

static PetscErrorCode FitFilters(PsdMaps maps, PsdData data)
{
  PetscFunctionBeginUser;
  const PetscReal *transform, *mean;
  PetscReal *filters;
  PetscInt f;
  PetscCall(PsdMapsFitPatches(maps, data));
  PetscCall(PsdMapsGetFilters(maps, &f, &transform, &mean, NULL));
  PetscCall(PetscMalloc1((size_t)maps->map.count * f, &filters));
  PetscCall((*maps->kind->make)(maps, data, filters));
  PetscCall(PetscFree(maps->filters));
  maps->filters = filters;
  maps->f = f;
  PetscCall(PsdMapsFold(maps));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdMapsFit(PsdMaps maps, PsdData data)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(maps);
  if (!maps->filters) PetscCall(FitFilters(maps, data));
  if (maps->channels && !maps->reduce) {
    PetscCall(PsdMapsFitChannels(maps, data));
    PetscCall(PsdMapsFoldChannels(maps));
  }
  PetscCheck(!maps->mirror || maps->closed, maps->comm, PETSC_ERR_PLIB, "Filters without their mirror images");
  PetscFunctionReturn(0);
}

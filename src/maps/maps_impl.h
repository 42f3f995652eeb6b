/*
   What a stage of maps is made of, for the files of this folder alone.
*/
#ifndef PSD_MAPS_IMPL_H
#define PSD_MAPS_IMPL_H

#include <psdmaps.h>
#include "base/shared.h"
#include "patches/pixel_values.h"

/* How filters are made of the images: filters.c. */
typedef struct {
  const char *name, *help;
  PetscBool given; /* by PsdNetworkGiveFilters, and not made */
  /* K rows of f numbers, of length 1 or 0; the transform of the patches is there. Collective. */
  PetscErrorCode (*make)(PsdMaps maps, PsdData data, PetscReal filters[]);
} PsdFilterKind;

extern const PsdFilterKind *const PsdFilterKinds[]; /* NULL-terminated */

struct _p_PsdMaps {
  PsdShared shared;                  /* first */
  MPI_Comm comm;                     /* our own duplicate */
  PsdMaps lower;                     /* the stage below, held; NULL: patches are cut of images */
  PetscBool handed[PSD_MOST_STAGES]; /* whose maps, from the images on, are handed on beside this one's, ... */
  PetscBool responses_handed[PSD_MOST_STAGES]; /* ... and whose responses */
  PsdMapOrigin origin;
  PsdMapGeometry map;
  PsdPatchGeometry cut;           /* of the patches of the images, until their size is known; pool: side of the map */
  PsdPixelChoices asked;          /* of what cut has of pixels */
  PetscReal normalize;            /* cut's where images are bytes and none was asked for */
  PetscReal whiten;               /* of those patches, as -whiten and -pca */
  PetscInt pca;                   /* at most; 0 = all */
  PetscReal channel_whiten;       /* of the channels */
  const PsdFilterKind *kind;      /* of filters that are not there yet */
  char model[PETSC_MAX_PATH_LEN]; /* of -layer1_model; "": filters are made */
  PetscInt branch;                /* of -layer1_branch; 0: the only one */
  PetscInt64 seed;                /* of their random choice */
  PetscBool mirror;               /* of -layer1_mirror: filters are to come with their mirror images */
  PetscBool closed;               /* they do, and so do channels: see mirror_maps.c */
  PsdPatches patches;             /* of the images, a region for each place of the map */
  PsdPatches channels;            /* 1 x 1 patches of the map with all channels; NULL: they are not reduced */
  PetscInt q, f, raw_channels; /* numbers in a patch, raw and transformed; channels of the map before it is reduced */
  PetscReal largest;           /* of the channels before they are reduced, at most */
  PetscReal largest_reduced;   /* and after it */
  PetscReal *filters;          /* K x f; NULL: not yet */
  float *w;                    /* q x K: transform times filters, so that z = p w + offset of a raw patch p */
  float *above, *below;        /* K: offset - t of z, and -offset - t of -z */
  /* of all channels, and of those of the map: which each is in the mirrored map, and its sign */
  PetscInt *raw_channel, *channel;
  PetscReal *raw_sign, *channel_sign;
  float *reduce, *centre;   /* raw_channels x k and k: transform of the channels, and -mean times it; NULL: not (yet) */
  float *input;             /* work: the map below; NULL: there is none */
  PetscReal *rows;          /* work: patches of an image, region after region */
  PetscInt *count;          /* work: of each region */
  float *single, *response; /* work: positions x q, positions x K */
  float *sums, *reduced;    /* work: places x raw_channels, places x k */
  float *coarse;            /* work: responses x responses x raw_channels */
};

/* Channels of a map as it comes out, and its side. */
static inline PetscInt PsdMapsChannels(PsdMaps maps)
{
  return maps->map.channels > 0 ? maps->map.channels : maps->raw_channels;
}

/* PsdMapsAreFitted, for this folder. */
static inline PetscBool PsdMapsHaveAll(PsdMaps maps)
{
  return (PetscBool)(maps->filters && (maps->reduce || !maps->channels));
}

/* The largest number of a map: at a place that is normalised the mean square is below 1. */
static inline PetscReal PsdMapsLargest(PsdMaps maps)
{
  if (maps->map.normalize > 0) return PetscSqrtReal((PetscReal)PsdMapsChannels(maps));
  return maps->channels ? maps->largest_reduced : maps->largest;
}

/* Stages one on another, this one included. */
static inline PetscInt PsdMapsDepth(PsdMaps maps)
{
  PetscInt stages = 0;
  for (; maps; maps = maps->lower) stages++;
  return stages;
}

/* PsdMapsLowest - the stage whose patches are cut of images. Not collective. */
static inline PsdMaps PsdMapsLowest(PsdMaps maps)
{
  while (maps->lower) maps = maps->lower;
  return maps;
}

/* Whether the map of a stage, counted from the images, is handed on: that of the last one always is. */
static inline PetscBool PsdMapsHandsOn(PsdMaps maps, PetscInt stage)
{
  return (PetscBool)(stage == PsdMapsDepth(maps) || maps->handed[stage - 1]);
}

/* Numbers of the responses that are kept beside a map. */
static inline size_t PsdMapsResponseNumbers(PsdMaps maps)
{
  return (size_t)maps->raw_channels * (size_t)maps->map.responses * (size_t)maps->map.responses;
}

/* What kept responses are multiplied by. */
static inline PetscReal PsdMapsResponseScale(PsdMaps maps)
{
  return maps->map.response_scale > 0 ? maps->map.response_scale : 1;
}

/* Numbers of a map. */
static inline size_t PsdMapsNumbers(PsdMaps maps)
{
  return (size_t)PsdMapsChannels(maps) * (size_t)maps->cut.pool * (size_t)maps->cut.pool;
}

/* PsdMapsCut - rows <- the stage's patches of an image, region after region, of the map below where there is one. Not
   collective. respond.c */
PetscErrorCode PsdMapsCut(PsdMaps maps, const void *image, PetscReal rows[]);
/* PsdMapsRespond - leaves the means of the responses in maps->sums: the map with all channels, place after place. Not
   collective. */
PetscErrorCode PsdMapsRespond(PsdMaps maps, const void *image);
/* PsdMapsFold - what PsdMapsRespond multiplies with, from transform and filters. PsdMapsFoldChannels - and what reduces
   channels. Not collective. */
PetscErrorCode PsdMapsFold(PsdMaps maps);
PetscErrorCode PsdMapsFoldChannels(PsdMaps maps);

/* PsdMapsSetUpMirror - of a stage whose sizes are known: which channels are mirror images of each other, and, when it was
   asked for, transforms that keep to that. Logically collective. mirror_maps.c */
PetscErrorCode PsdMapsSetUpMirror(PsdMaps maps);
/* PsdMapsFindMirror - whether the filters that are there come with their mirror images, and then channels as well. Not
   collective. */
PetscErrorCode PsdMapsFindMirror(PsdMaps maps);

/* PsdMapsFitPatches, PsdMapsFitChannels - the transforms, from their statistics. Collective. statistics.c */
PetscErrorCode PsdMapsFitPatches(PsdMaps maps, PsdData data);
PetscErrorCode PsdMapsFitChannels(PsdMaps maps, PsdData data);

#endif

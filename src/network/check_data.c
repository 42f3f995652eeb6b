/*
   Whether images are such as a network was trained on: of its size, and held in the same way.
*/
#include "network.h"
#include <stdio.h>

PetscErrorCode PsdNetworkGetPixels(PsdNetwork network, PsdPixels *pixels)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(network);
  PsdPatchGeometry g;
  PsdPatches branch;
  PsdMaps maps;
  PetscCall(PsdPatchesGetMaps(network->patches, &maps));
  PetscCall(PsdPatchesGetBranch(network->patches, 0, &branch));
  if (maps) PetscCall(PsdMapsGetImages(maps, &g));
  else PetscCall(PsdPatchesGetGeometry(branch, &g));
  *pixels = (PsdPixels){.bits = g.bits == 16 ? 16 : 8, .step = g.step, .low = g.low};
  PetscFunctionReturn(0);
}

#define PIXELS_LENGTH 96

static const char *PixelsText(const PsdPixels *pixels, char text[PIXELS_LENGTH])
{
  if (pixels->step > 0)
    (void)snprintf(text, PIXELS_LENGTH, "real numbers in steps of %g from %g on", (double)pixels->step,
                   (double)pixels->low);
  else (void)snprintf(text, PIXELS_LENGTH, "%d bits a pixel", (int)pixels->bits);
  return text;
}

PetscErrorCode PsdNetworkCheckData(PsdNetwork network, PsdData data)
{
  PetscInt channels, height, width, own[3] = {0, 0, 0};
  PsdPixels pixels, trained;
  char text[PIXELS_LENGTH], other[PIXELS_LENGTH];

  PetscFunctionBeginUser;
  PsdCheckHandle(network);
  PetscCall(PsdNetworkGetImageSize(network, own));
  PetscCall(PsdDataGetImageSize(data, &channels, &height, &width));
  PetscCall(PsdDataGetPixels(data, &pixels));
  PetscCall(PsdNetworkGetPixels(network, &trained));
  PsdCheckInput(pixels.bits == trained.bits && pixels.step == trained.step && pixels.low == trained.low,
                "images of %s, but the network was trained on %s", PixelsText(&pixels, text),
                PixelsText(&trained, other));
  PsdCheckInput(channels == own[0] && height == own[1] && width == own[2],
                "images of %" PetscInt_FMT "x%" PetscInt_FMT "x%" PetscInt_FMT
                " (channels x height x width), but the network was trained on %" PetscInt_FMT "x%" PetscInt_FMT
                "x%" PetscInt_FMT,
                channels, height, width, own[0], own[1], own[2]);
  PetscFunctionReturn(0);
}

/*
   Moments of images in 40 bits a number. Each region has a unit of its own, a 2^39th part of its largest number; an image
   has the high parts of all its numbers, and then their low parts.
*/
#include "held_moments.h"
#include "base/rounding.h"
#include "whole.h"

struct _p_PsdHeldMoments {
  PetscInt regions, images, *length; /* length: of the moments of each region */
  size_t numbers, stride;            /* of an image: numbers, and its memory in numbers of 32 bits */
  int32_t *place;                    /* borrowed */
  PetscReal *unit, *lost;            /* regions of each image */
};

PetscErrorCode PsdHeldCreate(PetscInt regions, const PetscInt length[], PetscInt images, size_t bytes, void *place,
                             PsdHeldMoments *held)
{
  PetscFunctionBeginUser;
  PsdHeldMoments it;
  PetscCall(PetscNew(&it));
  it->regions = regions;
  PetscCall(PetscMalloc1(regions, &it->length));
  PetscCall(PetscArraycpy(it->length, length, regions));
  for (PetscInt g = 0; g < regions; g++) it->numbers += (size_t)length[g];
  it->stride = it->numbers + (it->numbers + sizeof(*it->place) - 1) / sizeof(*it->place);
  it->images = (PetscInt)PetscMin((size_t)images, bytes / (it->stride * sizeof(*it->place)));
  it->place = place;
  PetscCall(
      PetscMalloc2((size_t)it->images * (size_t)regions, &it->unit, (size_t)it->images * (size_t)regions, &it->lost));
  *held = it;
  PetscFunctionReturn(0);
}

PetscInt PsdHeldCount(PsdHeldMoments held)
{
  return held ? held->images : 0;
}

/* High and low parts of the numbers of an image. */
static void Find(PsdHeldMoments it, PetscInt image, int32_t **high, uint8_t **low)
{
  *high = it->place + (size_t)image * it->stride;
  *low = (uint8_t *)(*high + it->numbers);
}

/* The packed upper triangle of a symmetric matrix, whose other half has lost as much. */
void PsdHeldPut(PsdHeldMoments it, PetscInt image, const PetscReal moments[])
{
  int32_t *high;
  uint8_t *low;
  Find(it, image, &high, &low);
  for (PetscInt g = 0; g < it->regions; g++) {
    const size_t at = (size_t)image * (size_t)it->regions + (size_t)g;
    it->lost[at] = PsdRoundUp(PETSC_SQRT2 * PsdWide(it->length[g], moments, it->unit + at, high, low));
    moments += it->length[g];
    high += it->length[g];
    low += it->length[g];
  }
}

void PsdHeldGet(PsdHeldMoments it, PetscInt image, PetscReal moments[], const PetscReal *lost[])
{
  const size_t first = (size_t)image * (size_t)it->regions;
  int32_t *high;
  uint8_t *low;
  Find(it, image, &high, &low);
  *lost = it->lost + first;
  for (PetscInt g = 0; g < it->regions; g++) {
    PsdFromWide(it->length[g], it->unit[first + (size_t)g], high, low, moments);
    moments += it->length[g];
    high += it->length[g];
    low += it->length[g];
  }
}

PetscErrorCode PsdHeldDestroy(PsdHeldMoments *held)
{
  PetscFunctionBeginUser;
  if (!*held) PetscFunctionReturn(0);
  PetscCall(PetscFree2((*held)->unit, (*held)->lost));
  PetscCall(PetscFree((*held)->length));
  PetscCall(PetscFree(*held));
  PetscFunctionReturn(0);
}

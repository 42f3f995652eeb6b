/*
   Arrays of numbers as whole ones, multiples of a unit that each array has: of 32 bits, for features, and of 40, for the
   moments that they are made of (docs/mathematics.md, section 6, "Kept features").
*/
#ifndef PSD_WHOLE_PRIVATE_H
#define PSD_WHOLE_PRIVATE_H

#include <petscsys.h>
#include <stdint.h>

/* PsdWhole - x (m numbers) as multiples of *unit; returns a bound of || x - what PsdFromWhole makes of it ||. */
PetscReal PsdWhole(PetscInt m, const PetscReal x[], PetscReal *unit, int32_t whole[]);
void PsdFromWhole(PetscInt m, PetscReal unit, const int32_t whole[], PetscReal x[]);

/* The same in 40 bits: high and low part of each number are in arrays of their own. */
PetscReal PsdWide(PetscInt m, const PetscReal x[], PetscReal *unit, int32_t high[], uint8_t low[]);
void PsdFromWide(PetscInt m, PetscReal unit, const int32_t high[], const uint8_t low[], PetscReal x[]);

#endif

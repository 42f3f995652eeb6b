/*
   HDF5 files as inputs: bytes of any kind, or a sound file of which bytes are changed (FUZZ_FLIPS), or a list of changes to a
   sound file that HDF5 itself makes (FUZZ_EDITS): other numbers, types, shapes, layouts, filters, fill values, links. What has
   checksums is sealed again, so that they are no end to what can be found.
*/
#ifndef PSD_FUZZ_HDF5_FILES_H
#define PSD_FUZZ_HDF5_FILES_H

#include "fuzz.h"

/* Kinds of parts. */
enum {
  FUZZ_FILE,  /* all of the file, in the place of a sound one */
  FUZZ_BASE,  /* a byte: which of the sound files */
  FUZZ_EDITS, /* changes that HDF5 makes to it (hdf5_edits.c); not with FUZZ_FILE, which HDF5 may not survive */
  FUZZ_HEAD,  /* text behind the head of an archive */
  FUZZ_FLIPS, /* four bytes each: a place, and bits to be changed there */
  FUZZ_CUT,   /* two bytes: how much of the file is left, in 65536ths */
  FUZZ_BARE,  /* there: checksums are not made right in the end */
  FUZZ_FILE_KINDS
};

/* The sound files, made by set_up: FuzzPath("base.K"). */
#define FUZZ_BASES 8

typedef struct {
  int bases;
  /* makes checksums right after edits; NULL: there are none. head: a FUZZ_HEAD, or NULL */
  void (*seal)(uint8_t *bytes, size_t size, const FuzzPart *head);
} FuzzHdf5;

/* The base that an input is about. */
int FuzzBaseOf(const FuzzHdf5 *hdf5, const FuzzInput *input);
/* The path of sound file k. */
const char *FuzzBasePath(int k);
/* Writes the file of an input to FuzzPath(name). */
void FuzzMakeHdf5(const FuzzHdf5 *hdf5, const FuzzInput *input, const char name[]);

/* hdf5_edits.c: makes the changes of `edits` to the file at `path`. */
void FuzzEditHdf5(const char path[], FuzzBytes edits);

/* hdf5_seal.c: of an archive; of a model file that has one. */
void FuzzSealArchive(uint8_t *bytes, size_t size, const FuzzPart *head);
void FuzzSealModel(uint8_t *bytes, size_t size, const FuzzPart *head);

#endif

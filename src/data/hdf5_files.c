/*
   Which HDF5 file a split is in, and where in it.
*/
#include "hdf5_files.h"
#include "base/hdf5_input.h"
#include <string.h>

PetscBool PsdHdf5Matches(const char name[])
{
  return PsdHasSuffix(name, ".h5") || PsdHasSuffix(name, ".hdf5") ? PETSC_TRUE : PETSC_FALSE;
}

static PetscBool IsSplitName(const char name[], const char split[])
{
  const size_t length = strlen(split);
  return !strncmp(name, split, length) && name[length] == '.' && !strchr(name + length + 1, '.') ? PETSC_TRUE
                                                                                                 : PETSC_FALSE;
}

PetscBool PsdHdf5IsOfAnySplit(const char name[])
{
  return (PetscBool)(IsSplitName(name, PsdSplitNames[PSD_SPLIT_TRAIN]) ||
                     IsSplitName(name, PsdSplitNames[PSD_SPLIT_TEST]));
}

/* The index of the split's file: train.h5 or test.h5 when there is either, else the one file there is. */
static PetscInt FindName(const PsdListing *listing, PsdSplit split, PsdFailure *failure)
{
  PetscInt found = -1, of_split = 0, of_any_split = 0;
  for (PetscInt k = 0; k < listing->count; k++) {
    const char *name = listing->names[k];
    if (PsdHdf5IsOfAnySplit(name)) of_any_split++;
    if (!IsSplitName(name, PsdSplitNames[split])) continue;
    of_split++;
    found = k;
  }
  if (of_split == 1) return found;
  if (!of_split && !of_any_split && split == PSD_SPLIT_TRAIN && listing->count == 1) return 0;
  if (of_split || (!of_any_split && split == PSD_SPLIT_TRAIN))
    PsdFailureRecord(failure, "-data %s: holds %" PetscInt_FMT " HDF5 files (%s, %s, ...), expected one, or %s.h5",
                     listing->path, listing->count, listing->names[0], listing->names[1], PsdSplitNames[split]);
  else
    PsdFailureRecord(failure, "-data %s: holds no %s.h5, needed for -split %s", listing->path, PsdSplitNames[split],
                     PsdSplitNames[split]);
  return -1;
}

/* Whether the file has a group of the split, with images in it. */
static PetscBool HasGroup(hid_t file, PsdSplit split)
{
  char images[PSD_MEMBER_LENGTH];
  H5L_info_t link;
  (void)snprintf(images, sizeof(images), "%s/images", PsdSplitNames[split]);
  return (PetscBool)(H5Lexists(file, PsdSplitNames[split], H5P_DEFAULT) > 0 &&
                     H5Lget_info(file, PsdSplitNames[split], &link, H5P_DEFAULT) >= 0 && link.type == H5L_TYPE_HARD &&
                     H5Lexists(file, images, H5P_DEFAULT) > 0);
}

/* Where in the file the split is: in its group, or in the root of a file without such groups. */
static void FindGroup(PsdSplit split, PsdImageFile *file, PsdFailure *failure)
{
  const PsdSplit other = split == PSD_SPLIT_TRAIN ? PSD_SPLIT_TEST : PSD_SPLIT_TRAIN;
  PsdFileCheckRegular(file->path, failure);
  const hid_t hdf5 = failure->failed ? -1 : PsdH5OpenInput(file->path);
  if (hdf5 < 0) return; /* which is found out when images are read */
  if (HasGroup(hdf5, split)) (void)snprintf(file->member, sizeof(file->member), "%s", PsdSplitNames[split]);
  else if (HasGroup(hdf5, other))
    PsdFailureRecord(failure, "%s: holds no group /%s, needed for -split %s", file->path, PsdSplitNames[split],
                     PsdSplitNames[split]);
  (void)H5Fclose(hdf5);
}

void PsdHdf5FindFile(const PsdListing *listing, PsdSplit split, PsdImageFile *file, PsdFailure *failure)
{
  if (listing->is_file) {
    (void)snprintf(file->path, sizeof(file->path), "%s", listing->path);
  } else {
    const PetscInt found = FindName(listing, split, failure);
    if (found >= 0) PsdJoinPath(listing->path, listing->names[found], file->path, failure);
  }
  if (!failure->failed) FindGroup(split, file, failure);
}

void PsdHdf5NameIn(const PsdImageFile *file, const char role[], char name[2 * PSD_MEMBER_LENGTH])
{
  (void)snprintf(name, (size_t)2 * PSD_MEMBER_LENGTH, "%s%s%s", file->member, file->member[0] ? "/" : "", role);
}

/* A file that serves either split is of training images. */
PetscBool PsdHdf5HasSplit(const PsdListing *listing, PsdSplit split)
{
  PsdFailure failure = {.failed = PETSC_FALSE};
  PsdImageFile file = {.path = ""};
  PsdHdf5FindFile(listing, split, &file, &failure);
  return (PetscBool)(!failure.failed && (split == PSD_SPLIT_TRAIN || !listing->is_file || file.member[0]));
}

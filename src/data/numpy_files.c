/*
   Which of NumPy's files hold what. A directory has an .npz of each split, or one, or arrays that are called by split and
   kind; an .npz has a member for each kind, whose name may say the split.
*/
#include "numpy_files.h"
#include <string.h>

/* %s is the split. The first one that is there counts; an empty one is none. */
static const char *const file_names[PSD_NUMPY_KINDS][4] = {{"%s_images.npy", "%s-images.npy", "x_%s.npy", "X_%s.npy"},
                                                           {"%s_labels.npy", "%s-labels.npy", "y_%s.npy", "Y_%s.npy"},
                                                           {"%s_targets.npy", "%s-targets.npy", "", ""},
                                                           {"%s_weights.npy", "%s-weights.npy", "", ""},
                                                           {"%s_names.npy", "%s-names.npy", "names.npy", ""}};
static const char *const member_names[PSD_NUMPY_KINDS][5] = {
    {"images.npy", "x.npy", "X.npy", "x_%s.npy", "X_%s.npy"},
    {"labels.npy", "y.npy", "Y.npy", "y_%s.npy", "Y_%s.npy"},
    {"targets.npy", "", "", "targets_%s.npy", ""},
    {"weights.npy", "sample_weight.npy", "", "weights_%s.npy", ""},
    {"names.npy", "target_names.npy", "class_names.npy", "names_%s.npy", ""}};
#define FILE_NAMES (sizeof(file_names[0]) / sizeof(file_names[0][0]))
#define MEMBER_NAMES (sizeof(member_names[0]) / sizeof(member_names[0][0]))
#define PLAIN_MEMBERS 3 /* the first ones have no split in their names: an archive of one split has them */

static void NameOf(const char pattern[], PsdSplit split, size_t size, char name[])
{
  const char *place = strstr(pattern, "%s");
  if (place) snprintf(name, size, "%.*s%s%s", (int)(place - pattern), pattern, PsdSplitNames[split], place + 2);
  else snprintf(name, size, "%s", pattern);
}

static PetscBool IsArchive(const char name[])
{
  return PsdHasSuffix(name, ".npz");
}

static PetscBool IsArray(const char name[])
{
  char candidate[PSD_FILE_NAME_LENGTH];
  for (int kind = 0; kind < PSD_NUMPY_KINDS; kind++)
    for (size_t k = 0; k < FILE_NAMES; k++)
      for (int split = 0; PsdSplitNames[split]; split++) {
        NameOf(file_names[kind][k], (PsdSplit)split, sizeof(candidate), candidate);
        if (!strcmp(candidate, name)) return PETSC_TRUE;
      }
  return PETSC_FALSE;
}

static PetscBool IsArchiveOf(const char name[], PsdSplit split)
{
  char candidate[PSD_FILE_NAME_LENGTH];
  NameOf("%s.npz", split, sizeof(candidate), candidate);
  return (PetscBool)!strcmp(candidate, name);
}

static PetscBool IsArchiveOfAnySplit(const char name[])
{
  return (PetscBool)(IsArchiveOf(name, PSD_SPLIT_TRAIN) || IsArchiveOf(name, PSD_SPLIT_TEST));
}

PetscBool PsdNumpyMatches(const char name[])
{
  return (PetscBool)(IsArchive(name) || IsArray(name));
}

PetscBool PsdNumpyPrefers(const char name[])
{
  return (PetscBool)(IsArchiveOfAnySplit(name) || IsArray(name));
}

static PetscBool Lists(const PsdListing *listing, const char name[])
{
  for (PetscInt k = 0; k < listing->count; k++)
    if (!strcmp(listing->names[k], name)) return PETSC_TRUE;
  return PETSC_FALSE;
}

/* The split's own archive, else the only one there is, which may have both splits; NULL: none. */
static const char *FindArchive(const PsdListing *listing, PsdSplit split)
{
  const char *only = NULL;
  PetscInt archives = 0;
  PetscBool of_split = PETSC_FALSE;
  for (PetscInt k = 0; k < listing->count; k++) {
    const char *name = listing->names[k];
    if (IsArchiveOf(name, split)) return name;
    of_split = (PetscBool)(of_split || IsArchiveOfAnySplit(name));
    if (!IsArchive(name)) continue;
    archives++;
    only = name;
  }
  return archives == 1 && !of_split ? only : NULL;
}

/* plain: that members may be of the split whose name they do not say */
static PetscBool FindMember(PsdSplit split, int kind, PetscBool plain, PsdImageFile *file, PsdFailure *failure)
{
  for (size_t k = plain ? 0 : PLAIN_MEMBERS; k < MEMBER_NAMES && !failure->failed; k++) {
    NameOf(member_names[kind][k], split, sizeof(file->member), file->member);
    if (file->member[0] && PsdZipHas(file->path, file->member, failure)) return PETSC_TRUE;
  }
  file->member[0] = '\0';
  return PETSC_FALSE;
}

static void FindInArchive(const char name[], PsdSplit split, PsdImageFile files[PSD_NUMPY_KINDS], PsdFailure *failure)
{
  const char *base = strrchr(name, '/') ? strrchr(name, '/') + 1 : name;
  const PetscBool plain = (PetscBool)(split == PSD_SPLIT_TRAIN || IsArchiveOf(base, split));
  for (int kind = PSD_NUMPY_LABELS; kind < PSD_NUMPY_KINDS; kind++)
    memcpy(files[kind].path, files[PSD_NUMPY_IMAGES].path, sizeof(files->path));
  if (!FindMember(split, PSD_NUMPY_IMAGES, plain, &files[PSD_NUMPY_IMAGES], failure) && !failure->failed)
    PsdFailureRecord(failure, "%s: has no array of images of the split %s: looked for %sx_%s and the like",
                     files[PSD_NUMPY_IMAGES].path, PsdSplitNames[split], plain ? "images, x, " : "",
                     PsdSplitNames[split]);
  for (int kind = PSD_NUMPY_LABELS; kind < PSD_NUMPY_KINDS && !failure->failed; kind++)
    if (!FindMember(split, kind, (PetscBool)(plain || kind == PSD_NUMPY_NAMES), &files[kind], failure))
      files[kind].path[0] = '\0'; /* names are of either split */
}

static void FindArray(const PsdListing *listing, PsdSplit split, int kind, PsdImageFile *file, PsdFailure *failure)
{
  char name[PSD_FILE_NAME_LENGTH];
  for (size_t k = 0; k < FILE_NAMES && !file->path[0]; k++) {
    NameOf(file_names[kind][k], split, sizeof(name), name);
    if (Lists(listing, name)) PsdJoinPath(listing->path, name, file->path, failure);
  }
}

void PsdNumpyFindFiles(const PsdListing *listing, PsdSplit split, PsdImageFile files[PSD_NUMPY_KINDS],
                       PsdFailure *failure)
{
  if (listing->is_file) {
    snprintf(files[PSD_NUMPY_IMAGES].path, PETSC_MAX_PATH_LEN, "%s", listing->path);
    FindInArchive(listing->path, split, files, failure);
    return;
  }
  for (int kind = 0; kind < PSD_NUMPY_KINDS; kind++) FindArray(listing, split, kind, &files[kind], failure);
  if (files[PSD_NUMPY_IMAGES].path[0] || failure->failed) return;
  const char *archive = FindArchive(listing, split);
  if (!archive)
    PsdFailureRecord(failure, "-data %s: holds no %s.npz and no %s_images.npy, needed for -split %s", listing->path,
                     PsdSplitNames[split], PsdSplitNames[split], PsdSplitNames[split]);
  else if (PsdJoinPath(listing->path, archive, files[PSD_NUMPY_IMAGES].path, failure))
    FindInArchive(archive, split, files, failure);
}

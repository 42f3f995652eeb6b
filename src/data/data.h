/*
   Private to the folder: the data set object, the table of file formats, and the pieces that PsdDataSetUp is made of.

   Images come from files (read.c) or from the caller's memory (arrays.c). Of files rank 0 finds out what they are
   (probe.c, and the format's inspect) and tells the others as one PsdSource. Every rank then makes the same selection
   (select.c) and receives its own part of it. Positions of images count from 0 over all files of the split; they fit an
   int, so that they can be MPI counts.
*/
#ifndef PSD_DATA_PRIVATE_H
#define PSD_DATA_PRIVATE_H

#include <psddata.h>
#include "base/base.h"
#include "pixels.h"

#define PSD_FILE_NAME_LENGTH 256
#define PSD_MEMBER_LENGTH 64
#define PSD_MAX_CLASSES 1024
#define PSD_MOST_NAMES 4096           /* that a data set has for labels */
#define PSD_MAX_IMAGES 2147483647     /* the largest MPI count */
#define PSD_MAX_IMAGE_SIDE 16384      /* beyond it a header is taken to be damaged */
#define PSD_MAX_IMAGE_BYTES (1 << 28) /* an image is one message */
#define PSD_LEAST_LEVELS 4            /* numbers of both signs take three, wherever they lie */
#define PSD_MOST_LEVELS 65536
#define PSD_PIECE_BYTES ((size_t)4 << 20)     /* read, sent or inflated at a time */
#define PSD_LABEL_LIMIT ((PetscInt64)1 << 31) /* labels are 0 .. 2^31 - 1 */

/* ---------------------------------------------------------------- what holds the images */

typedef struct {
  char path[PETSC_MAX_PATH_LEN];
  char member[PSD_MEMBER_LENGTH]; /* of an archive of arrays; else empty */
  PetscInt first, count;          /* images first .. first + count - 1 of the split */
} PsdImageFile;

/* Classes of a network, by which a data set that has names instead of labels finds the labels. */
typedef struct {
  PetscInt count, *labels;
  char (*names)[PSD_CLASS_NAME_LENGTH];
} PsdKnownClasses;

/* The files of one split, checked against their own headers and sizes. Filled on rank 0, then the same on all. */
typedef struct PsdSource PsdSource;
typedef struct PsdFormat PsdFormat;
struct PsdSource {
  const PsdFormat *format;
  PetscInt n;       /* images in the split's files */
  PsdPixels pixels; /* before inspection those wanted, bits 0: as the files say */
  PetscInt levels;  /* of real numbers, at most */
  PetscInt channels, height, width;
  PetscBool channels_last; /* in the file; in memory they are first */
  PsdPixelScale scale;     /* of numbers that are not bytes */
  PsdPixels stored;        /* how the file says that its whole numbers are meant; bits 0: it does not */
  PsdPixelTally tally;     /* on this rank, of what it has read */
  PetscBool coarse;        /* labels are the coarse ones, where there are two kinds */
  PetscBool unlabelled;    /* there are images alone, or targets in the place of labels */
  PetscInt outputs;        /* targets of each image; 0: there are none */
  PetscBool weighted;      /* images have weights */
  PetscBool labels_streamed, images_streamed; /* rank 0 alone reads, from front to back, and sends on */
  PetscBool targets_streamed;
  PetscInt file_count;
  PsdImageFile *files;
  PetscInt name_count; /* PSD_MOST_NAMES at most; names of labels 0 .. name_count - 1, or of outputs */
  char (*names)[PSD_CLASS_NAME_LENGTH];
  PetscInt64 list_bytes; /* what the format tells all ranks of its files beyond `files`, which are few */
  char *list;
  const PsdKnownClasses *known; /* on rank 0, borrowed; NULL: the data set says what its classes are */
  void *reader;                 /* the format's, while images are read */
};

size_t PsdSourceImagePixels(const PsdSource *source);
size_t PsdSourceImageBytes(const PsdSource *source);
/* the largest number of images that is read at a time */
PetscInt PsdSourcePiece(const PsdSource *source);
PetscErrorCode PsdSourceBroadcast(MPI_Comm comm, PsdSource *source);
PetscErrorCode PsdSourceDestroy(PsdSource *source);
/* PsdSourceTakesBytes - whether numbers of a type are what is held, as they are. PsdSourceScans - whether how they are held
   depends on all of them. */
PetscBool PsdSourceTakesBytes(const PsdSource *source, PsdNumberType type);
PetscBool PsdSourceScans(const PsdSource *source, PsdNumberType type);
/* PsdSourceToPlanes - images as they are in the file, with their channels first. */
PetscErrorCode PsdSourceToPlanes(const PsdSource *source, PetscInt count, unsigned char images[], PsdFailure *failure);

/* What each image has that is read by its place: its pixels, or its targets. `read` is called with ascending positions,
   at most PSD_PIECE_BYTES of items but one at least, between open and close. */
typedef struct {
  PetscErrorCode (*open)(PsdSource *source, PsdFailure *failure);
  PetscErrorCode (*read)(PsdSource *source, PetscInt first, PetscInt count, void *items, PsdFailure *failure);
  /* streamed files only: that what follows the items read so far is as the header said, up to the end */
  PetscErrorCode (*end)(PsdSource *source, PsdFailure *failure);
  PetscErrorCode (*close)(PsdSource *source);
} PsdReader;

/* What rank 0 found at -data. */
typedef struct {
  char path[PETSC_MAX_PATH_LEN];
  PetscBool is_file; /* path is the one file itself, which serves any split */
  PetscInt count, room;
  char (*names)[PSD_FILE_NAME_LENGTH]; /* those that the format knows, sorted */
} PsdListing;

/* ---------------------------------------------------------------- formats

   A file at fault is recorded as the failure; calls that come after a failure do nothing. Everything but inspect may run
   on any rank; nothing is collective. */

struct PsdFormat {
  const char *name;
  const char *files;    /* what is looked for, for messages */
  PetscBool takes_file; /* what is at -data may be a file rather than a directory; of the first such format any name */
  PetscBool takes_folders; /* a directory that has folders and no files of a format is of this one */
  PetscBool has_coarse;    /* labels are of two kinds, fine and coarse */
  PetscBool resizes;       /* source's height and width are asked for where they are not 0 when inspect is called */
  PetscBool (*matches)(const char name[]);
  /* prefers: of names that match, whether where there is one of these no others are read */
  PetscBool (*prefers)(const char name[]);
  /* has_split: whether there are images of the split; runs on rank 0 */
  PetscBool (*has_split)(const PsdListing *listing, PsdSplit split);
  const char *labels; /* what they are in, for messages */
  const char *const
      *beside; /* names of files that are read beside those that match, ended by NULL; NULL: there are none */
  /* rank 0: which files are the split's, how many images they hold, of what size; does not read the images */
  PetscErrorCode (*inspect)(const PsdListing *listing, PsdSplit split, PsdSource *source, PsdFailure *failure);
  PetscErrorCode (*read_labels)(const PsdSource *source, PetscInt first, PetscInt count, PetscInt labels[],
                                PsdFailure *failure);
  /* rank 0: as many numbers as there are images, of a source that is weighted */
  PetscErrorCode (*read_weights)(const PsdSource *source, PetscReal weights[], PsdFailure *failure);
  PsdReader images;
  PsdReader targets; /* of a source that has outputs: as many doubles, finite, for each image */
};

extern const PsdFormat *const PsdFormats[]; /* formats.c; NULL-terminated */
extern const char *const PsdSplitNames[];   /* NULL-terminated */

/* PsdFormatsDescribe - their names in words, "cifar10, idx or hdf5". */
#define PSD_FORMATS_LENGTH 128
void PsdFormatsDescribe(char text[PSD_FORMATS_LENGTH]);

/* PsdDataProbe - finds out on rank 0 what is at `path` and fills source there, whose height and width are those asked for. */
PetscErrorCode PsdDataProbe(const char path[], PsdSplit split, PsdSource *source, PsdFailure *failure);
/* PsdDataProbeSplit - whether there are images of the split at `path`. */
PetscErrorCode PsdDataProbeSplit(const char path[], PsdSplit split, PetscBool *has, PsdFailure *failure);

/* ---------------------------------------------------------------- one file as bytes: bytes_plain.c, bytes_gzip.c */

typedef struct PsdBytes PsdBytes;
typedef struct {
  PetscErrorCode (*open)(PsdBytes *bytes, PsdFailure *failure);
  /* a stream only goes forward: offset is not less than where the last read ended */
  PetscErrorCode (*read)(PsdBytes *bytes, PetscInt64 offset, size_t count, void *buffer, PsdFailure *failure);
  /* that exactly `size` bytes are there */
  PetscErrorCode (*expect_size)(PsdBytes *bytes, PetscInt64 size, PsdFailure *failure);
  PetscErrorCode (*close)(PsdBytes *bytes);
  PetscInt64 expansion; /* a byte on disk holds no more than this many */
} PsdBytesOps;

struct PsdBytes {
  const PsdBytesOps *ops;
  const char *path;
  int descriptor;
  PetscInt64 disk_size;
  void *stream;
};

PetscBool PsdHasSuffix(const char name[], const char suffix[]);
/* PsdBytesOpen - a name that ends in .gz is a stream. PsdBytesClose may be called after an open that failed. */
PetscErrorCode PsdBytesOpen(const char path[], PsdBytes *bytes, PsdFailure *failure);
PetscErrorCode PsdBytesClose(PsdBytes *bytes);
/* PsdBytesOpenMember - of a .zip archive (bytes_zip.c). One that is stored as it is can be read anywhere, and one that is
   compressed is a stream, as `streamed` says; NULL: nobody asks. */
PetscErrorCode PsdBytesOpenMember(const char path[], const char member[], PsdBytes *bytes, PetscBool *streamed,
                                  PsdFailure *failure);
/* PsdZipHas - whether the archive has such a member; one that cannot be read is a failure. */
PetscBool PsdZipHas(const char path[], const char member[], PsdFailure *failure);
/* PsdBytesOpenFile - the part of PsdBytesOpen before what ops do: a regular file. */
void PsdBytesOpenFile(const char path[], PsdBytes *bytes, PsdFailure *failure);
extern const PsdBytesOps PsdBytesPlain, PsdBytesGzip;

/* ---------------------------------------------------------------- format_common.c */

/* PsdAllocate - memory whose size the input decides, so that its lack is the input's fault and no PETSc error; free()
 * it. */
void *PsdAllocate(size_t count, size_t size, const char what[], PsdFailure *failure);
PetscBool PsdJoinPath(const char directory[], const char name[], char path[PETSC_MAX_PATH_LEN], PsdFailure *failure);
/* PsdCheckImageShape - records a failure unless the numbers are those of a possible image. */
void PsdCheckImageShape(const char path[], PetscInt64 channels, PetscInt64 height, PetscInt64 width,
                        PsdFailure *failure);
void PsdCheckImageCount(const char path[], PetscInt64 n, PsdFailure *failure);
/* PsdCheckTargets - records a failure unless all of `count` images' targets are finite; the first one is number
   `first`. */
void PsdCheckTargets(const char path[], PetscInt64 first, PetscInt count, PetscInt outputs, const PetscReal targets[],
                     PsdFailure *failure);
/* PsdCheckOutputs - the same of their number. */
void PsdCheckOutputs(const char path[], PetscInt64 outputs, PsdFailure *failure);
/* PsdTrimName - ends a name, and leaves out what its cutting to this length has left of a character of UTF-8. */
void PsdTrimName(char name[PSD_CLASS_NAME_LENGTH]);
/* PsdNumpyReadWeights - all of an array of n numbers (numpy.c). */
PetscErrorCode PsdNumpyReadWeights(const PsdImageFile *file, PetscInt n, PetscReal weights[], PsdFailure *failure);

/* ---------------------------------------------------------------- the object: data.c */

/* Which images, and where this rank's part of them lies: select.c. */
typedef struct {
  PetscInt n;
  PetscInt *positions; /* n, ascending */
} PsdSelection;

/* Where images come from: read.c, arrays_move.c. All collective; an error on one rank is one on all. */
typedef struct {
  /* what there is to select from; names the format */
  PetscErrorCode (*inspect)(PsdData data, PsdSource *source);
  /* labels of all images of the split, on every rank; free() them */
  PetscErrorCode (*read_labels)(PsdData data, const PsdSource *source, PetscInt **labels);
  /* weights of all images of a source that is weighted, room for which is there: on every rank */
  PetscErrorCode (*read_weights)(PsdData data, const PsdSource *source, PetscReal weights[]);
  /* the images of this rank's part of the selection, and their targets where the source has outputs */
  PetscErrorCode (*read_shard)(PsdData data, PsdSource *source, const PsdSelection *selection);
} PsdOrigin;

extern const PsdOrigin PsdOriginFiles, PsdOriginArrays;

/* What PsdDataSetArrays was given. */
typedef struct {
  PetscInt n_local, channels, height, width;
  PetscInt *first; /* the first image of each rank, and behind the last one */
  PetscBool labelled;
  PetscInt outputs; /* 0: without targets */
  PsdNumberType type;
  void *images; /* copies, from PsdAllocate */
  PetscInt *labels;
  PetscReal *targets;
  char (*names)[PSD_CLASS_NAME_LENGTH]; /* of the outputs; NULL: they have none */
  PetscReal *weights;
  PetscBool weighted; /* on all ranks */
} PsdArrays;

struct _p_PsdData {
  MPI_Comm comm; /* our own duplicate */
  PetscMPIInt tag;
  char *prefix; /* of its options; NULL: none */

  const PsdOrigin *origin; /* NULL: nothing was said about it */
  char path[PETSC_MAX_PATH_LEN];
  PsdArrays arrays;
  PsdSplit split;
  PetscInt limit;                         /* 0: none */
  PetscInt resized_height, resized_width; /* 0: as they are */
  PsdPixels wanted_pixels;                /* bits 0: as the files have them */
  PetscInt levels;                        /* of real numbers, at most */
  PetscBool coarse;                       /* labels, where there are two kinds */
  PetscReal validation;
  PsdDataPart part;
  PsdDataPurpose purpose;
  PetscInt shifts;      /* each image is as many samples, shifted; 1: itself alone */
  PetscBool mirror;     /* and each of these is followed by its mirror image */
  PetscInt class_count; /* 0: every label found */
  PetscInt *class_labels;
  PetscBool classes_found;       /* by PsdDataSetUp rather than given */
  PetscBool classes_from_option; /* the user's own words, so that a label that does not occur is a slip */
  PetscInt kept_count;           /* to evaluate or to predict: the option's labels; 0: all */
  PetscInt *kept_labels;

  char weights_path[PETSC_MAX_PATH_LEN]; /* of weights that are not in the data set; else empty */
  PetscBool balanced;                    /* classes weigh alike */
  PetscInt class_weight_count;           /* or as much as this many numbers say; 0: they do not */
  PetscReal *class_weights;

  PsdKnownClasses known;   /* count 0: none */
  PetscInt wanted_outputs; /* of the network that is applied; 0: it tells classes apart, or there is none */

  PetscBool ready; /* what follows is there */
  const char *format;
  PetscBool unlabelled;
  PetscInt outputs; /* 0: images have labels, or nothing */
  PetscInt channels, height, width;
  PsdPixels pixels;
  char **class_names; /* of outputs, where there are some; NULL then: they have none */
  PetscInt n, n_local, first;
  unsigned char *images; /* from PsdAllocate */
  PetscInt *classes;
  PetscReal *targets; /* n_local x outputs, from PsdAllocate; NULL: none */
  PetscReal *weights; /* n_local, above 0; NULL: all are 1 */
  PetscInt64 *indices;
};

/* PsdDataReset - as it was before PsdDataSetUp. */
PetscErrorCode PsdDataReset(PsdData data);
/* PsdDataSplitEvenly - the piece of n that is rank's: pieces differ by one at most, and those of size ranks are unions of
   those of a multiple of size, which is what sums that do not depend on the number of ranks rest on. */
void PsdDataSplitEvenly(PetscInt n, PetscMPIInt size, PetscMPIInt rank, PetscInt *first, PetscInt *count);

/* PsdDataSelect - settles the classes and the selection, alike on every rank; classes and weights of this rank's part.
   labels, weights: NULL where there are none; an image of weight 0 is not selected. Collective. */
PetscErrorCode PsdDataSelect(PsdData data, const PetscInt labels[], const PetscReal weights[], PetscInt label_count,
                             PsdSelection *selection);
/* PsdDataReadWeights - weights of all images of the source, checked, on every rank; NULL: there are none. free() them.
   PsdDataWeighClasses - multiplies the weights of this rank's part by those of its classes, where that was asked for;
   counts: images of each class among all that were selected. Collective. */
PetscErrorCode PsdDataReadWeights(PsdData data, const PsdSource *source, PetscReal **weights);
PetscErrorCode PsdDataWeighClasses(PsdData data, const PetscInt counts[]);
PetscErrorCode PsdDataSetWeightsFromOptions(PsdData data);
/* PsdArraysDestroy - frees the copies. Not collective. */
PetscErrorCode PsdArraysDestroy(PsdArrays *arrays);

/* For messages: the path, or what arrays are called. */
#define PSD_ARRAYS_NAME "images in memory"
static inline const char *PsdDataName(PsdData data)
{
  return data->path[0] ? data->path : PSD_ARRAYS_NAME;
}
/* What goes before it at the beginning of a message: a path is the value of -data. */
static inline const char *PsdDataOption(PsdData data)
{
  return data->path[0] ? "-data " : "";
}

/* PsdDataAddShifts - what was read, shifted in all ways. PsdDataAddMirrors - doubles what is there. Collective. */
PetscErrorCode PsdDataAddShifts(PsdData data);
PetscErrorCode PsdDataAddMirrors(PsdData data);

/* PsdDataRepeat - the samples `times` times each, copies following each other: labels and indices of them, and room for their
   images (PsdAllocate), the old ones being the caller's from now on. option: for messages. Collective. */
PetscErrorCode PsdDataRepeat(PsdData data, PetscInt times, const char option[], unsigned char **old);

#endif

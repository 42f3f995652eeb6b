/*
   Small image files of every format for the tests of the data folder. Rank 0 writes into a fresh directory whose name
   all ranks know. Image k of a file set has pixels PixelOf(k, byte) and label LabelOf(k), so that any reader can be
   checked.
*/
#ifndef PSD_TEST_DATA_FILES_H
#define PSD_TEST_DATA_FILES_H

#define _XOPEN_SOURCE 700
#include <ftw.h>
#include <hdf5.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <psddata.h>

static char test_root[64]; /* the fresh directory */

static inline PetscMPIInt Rank(void)
{
  PetscMPIInt rank;
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  return rank;
}

static inline PetscMPIInt Size(void)
{
  PetscMPIInt size;
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  return size;
}

/* A test that cannot go on ends all ranks, or the others would wait for this one. */
static inline void Require(int condition, const char what[])
{
  if (condition) return;
  fprintf(stderr, "rank %d: %s (%s)\n", Rank(), what, PsdErrorMessage());
  MPI_Abort(PETSC_COMM_WORLD, 1);
}
#define MUST(call) Require(!(call), #call)

static inline unsigned char PixelOf(long image, long byte)
{
  return (unsigned char)(31 * image + 7 * byte + (image >> 3) + (byte >> 5) + image * byte % 13);
}

static inline int LabelOf(long image)
{
  static const int labels[] = {3, 5, 3, 9, 0, 5, 3, 0, 0, 9, 5};
  return labels[image * image % 11];
}

/* ---------------------------------------------------------------- directories */

static inline void RootCreate(void)
{
  if (!Rank()) {
    snprintf(test_root, sizeof(test_root), "/tmp/psdnet_data_XXXXXX");
    Require(mkdtemp(test_root) != NULL, "mkdtemp");
  }
  MUST(MPI_Bcast(test_root, sizeof(test_root), MPI_CHAR, 0, PETSC_COMM_WORLD));
}

static inline int RemoveEntry(const char path[], const struct stat *attributes, int kind, struct FTW *place)
{
  (void)attributes, (void)kind, (void)place;
  return remove(path);
}

static inline void RootRemove(void)
{
  MUST(MPI_Barrier(PETSC_COMM_WORLD));
  if (!Rank()) nftw(test_root, RemoveEntry, 16, FTW_DEPTH | FTW_PHYS);
}

/* PathOf - root/directory/name in a buffer that the next call but three reuses; name may be NULL. */
static inline const char *PathOf(const char directory[], const char name[])
{
  static char paths[4][256];
  static int next;
  char *path = paths[next++ % 4];
  snprintf(path, sizeof(paths[0]), "%s/%s%s%s", test_root, directory, name ? "/" : "", name ? name : "");
  return path;
}

static inline void MakeDirectory(const char directory[])
{
  mkdir(PathOf(directory, NULL), 0700);
}

/* ---------------------------------------------------------------- bytes; rank 0 only, as all that writes */

static inline void WritePlain(const char path[], const void *bytes, size_t size)
{
  FILE *file = fopen(path, "wb");
  Require(file && fwrite(bytes, 1, size, file) == size && !fclose(file), path);
}

static inline void WriteGzip(const char path[], const void *bytes, size_t size)
{
  gzFile file = gzopen(path, "wb1");
  Require(file && gzwrite(file, bytes, (unsigned)size) == (int)size && gzclose(file) == Z_OK, path);
}

static inline void WriteBytes(const char path[], const void *bytes, size_t size)
{
  const size_t length = strlen(path);
  if (length > 3 && !strcmp(path + length - 3, ".gz")) WriteGzip(path, bytes, size);
  else WritePlain(path, bytes, size);
}

static inline size_t SizeOf(const char path[])
{
  struct stat attributes;
  Require(!stat(path, &attributes), path);
  return (size_t)attributes.st_size;
}

static inline void PutBigEndian(unsigned char *bytes, uint32_t word)
{
  for (int k = 0; k < 4; k++) bytes[k] = (unsigned char)(word >> (24 - 8 * k));
}

/* ---------------------------------------------------------------- cifar10 and cifar100 */

/* images first .. first + count - 1 as records of so many labels: that of the image, and before it the next number */
static inline void WriteCifar(const char path[], int labels, long first, long count)
{
  const size_t record = 3072 + (size_t)labels;
  unsigned char *bytes = (unsigned char *)malloc((size_t)count * record);
  for (long k = 0; k < count; k++) {
    unsigned char *at = bytes + (size_t)k * record;
    for (int l = 0; l < labels; l++) *at++ = (unsigned char)(LabelOf(first + k) + labels - 1 - l);
    for (long b = 0; b < 3072; b++) *at++ = PixelOf(first + k, b);
  }
  WritePlain(path, bytes, (size_t)count * record);
  free(bytes);
}

static inline void WriteCifar10(const char path[], long first, long count)
{
  WriteCifar(path, 1, first, count);
}

/* ---------------------------------------------------------------- idx */

/* magic: of the header; announced: number in the header; count: images there are */
static inline void WriteIdxImages(const char path[], uint32_t magic, uint32_t announced, long count, long height,
                                  long width)
{
  const size_t size = 16 + (size_t)(count * height * width);
  unsigned char *bytes = (unsigned char *)malloc(size);
  PutBigEndian(bytes, magic);
  PutBigEndian(bytes + 4, announced);
  PutBigEndian(bytes + 8, (uint32_t)height);
  PutBigEndian(bytes + 12, (uint32_t)width);
  for (long k = 0; k < count; k++)
    for (long b = 0; b < height * width; b++) bytes[16 + k * height * width + b] = PixelOf(k, b);
  WriteBytes(path, bytes, size);
  free(bytes);
}

static inline void WriteIdxLabels(const char path[], uint32_t magic, uint32_t announced, long count)
{
  unsigned char *bytes = (unsigned char *)malloc(8 + (size_t)count);
  PutBigEndian(bytes, magic);
  PutBigEndian(bytes + 4, announced);
  for (long k = 0; k < count; k++) bytes[8 + k] = (unsigned char)LabelOf(k);
  WriteBytes(path, bytes, 8 + (size_t)count);
  free(bytes);
}

/* prefix: train or t10k; the suffixes "" or ".gz" */
static inline void WriteIdx(const char directory[], const char prefix[], const char image_suffix[],
                            const char label_suffix[], long count, long height, long width)
{
  char name[64];
  MakeDirectory(directory);
  snprintf(name, sizeof(name), "%s-images-idx3-ubyte%s", prefix, image_suffix);
  WriteIdxImages(PathOf(directory, name), 0x803, (uint32_t)count, count, height, width);
  snprintf(name, sizeof(name), "%s-labels-idx1-ubyte%s", prefix, label_suffix);
  WriteIdxLabels(PathOf(directory, name), 0x801, (uint32_t)count, count);
}

/* ---------------------------------------------------------------- hdf5 */

/* Writes an array of values given as `memory`, stored as `stored`; chunk: rows of a compressed chunk, 0 for none. */
static inline void WriteHdf5Set(const char path[], const char name[], int rank, const hsize_t shape[], hid_t memory,
                                hid_t stored, const void *values, hsize_t chunk)
{
  hid_t file = access(path, F_OK) ? H5Fcreate(path, H5F_ACC_EXCL, H5P_DEFAULT, H5P_DEFAULT)
                                  : H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
  hid_t creation = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(rank, shape, NULL);
  if (chunk) {
    hsize_t chunks[4] = {chunk, rank > 1 ? shape[1] : 1, rank > 2 ? shape[2] : 1, rank > 3 ? shape[3] : 1};
    H5Pset_chunk(creation, rank, chunks);
    H5Pset_deflate(creation, 1);
  }
  hid_t set = H5Dcreate2(file, name, stored, space, H5P_DEFAULT, creation, H5P_DEFAULT);
  Require(set >= 0 && H5Dwrite(set, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0, path);
  H5Dclose(set), H5Sclose(space), H5Pclose(creation), H5Fclose(file);
}

static inline void WriteHdf5Images(const char path[], long count, const long image[3], hsize_t chunk)
{
  const long size = image[0] * image[1] * image[2];
  const hsize_t shape[4] = {(hsize_t)count, (hsize_t)image[0], (hsize_t)image[1], (hsize_t)image[2]};
  unsigned char *bytes = (unsigned char *)malloc((size_t)(count * size));
  for (long k = 0; k < count; k++)
    for (long b = 0; b < size; b++) bytes[k * size + b] = PixelOf(k, b);
  WriteHdf5Set(path, "/images", 4, shape, H5T_NATIVE_UCHAR, H5T_STD_U8LE, bytes, chunk);
  free(bytes);
}

static inline void WriteHdf5Labels(const char path[], long count, hid_t stored)
{
  const hsize_t shape[1] = {(hsize_t)count};
  int *labels = (int *)malloc((size_t)count * sizeof(int));
  for (long k = 0; k < count; k++) labels[k] = LabelOf(k);
  WriteHdf5Set(path, "/labels", 1, shape, H5T_NATIVE_INT, stored, labels, 0);
  free(labels);
}

static inline void WriteHdf5(const char path[], long count, const long image[3], hid_t label_type, hsize_t chunk)
{
  WriteHdf5Images(path, count, image, chunk);
  WriteHdf5Labels(path, count, label_type);
}

#endif

/*
   Files that are at fault in one way each, for the test of bad input. Each function makes the directory `d` in the
   fresh directory of data_files.h and one damaged data set in it; rank 0 only.
*/
#ifndef PSD_TEST_DATA_DAMAGE_H
#define PSD_TEST_DATA_DAMAGE_H

#include "data_files.h"
#include <math.h>
#include <fcntl.h>

/* ---------------------------------------------------------------- damage */

static void Truncate(const char path[], size_t size)
{
  Require(!truncate(path, (off_t)size), path);
}

static void AppendByte(const char path[])
{
  FILE *file = fopen(path, "ab");
  Require(file && fputc('x', file) == 'x' && !fclose(file), path);
}

static void FlipByte(const char path[], size_t offset)
{
  unsigned char byte = 0;
  const int file = open(path, O_RDWR);
  Require(file >= 0 && pread(file, &byte, 1, (off_t)offset) == 1, path);
  byte ^= 0xff;
  Require(pwrite(file, &byte, 1, (off_t)offset) == 1 && !close(file), path);
}

/* ---------------------------------------------------------------- files at fault, in the directory `d` */

static const char *Batch(const char d[])
{
  return PathOf(d, "data_batch_1.bin");
}

static const char *Images(const char d[])
{
  return PathOf(d, "train-images-idx3-ubyte");
}

static const char *ImagesGz(const char d[])
{
  return PathOf(d, "train-images-idx3-ubyte.gz");
}

static const char *Labels(const char d[])
{
  return PathOf(d, "train-labels-idx1-ubyte");
}

static const char *LabelsGz(const char d[])
{
  return PathOf(d, "train-labels-idx1-ubyte.gz");
}

static const char *Train(const char d[])
{
  return PathOf(d, "train.h5");
}

static void Cifar10Good(const char d[])
{
  MakeDirectory(d);
  WriteCifar10(Batch(d), 0, 20);
}

static void Cifar10Remove(const char d[])
{
  (void)!rmdir(PathOf(d, NULL));
}

static void Mixed(const char d[])
{
  Cifar10Good(d);
  WriteIdx(d, "train", "", "", 20, 2, 2);
}

static void Cifar10Truncated(const char d[])
{
  Cifar10Good(d);
  Truncate(Batch(d), 20 * 3073 - 100);
}

static void Cifar10OneByteMore(const char d[])
{
  Cifar10Good(d);
  AppendByte(Batch(d));
}

static void Cifar10Oversized(const char d[])
{
  Cifar10Good(d);
  Truncate(Batch(d), (size_t)10001 * 3073);
}

static void Cifar10Empty(const char d[])
{
  Cifar10Good(d);
  Truncate(Batch(d), 0);
}

/* the last record of the second file, so that only the last rank reads it */
static void Cifar10Label(const char d[])
{
  const unsigned char ten = 10;
  Cifar10Good(d);
  WriteCifar10(PathOf(d, "data_batch_2.bin"), 20, 7);
  const int file = open(PathOf(d, "data_batch_2.bin"), O_WRONLY);
  Require(file >= 0 && pwrite(file, &ten, 1, 6 * 3073) == 1 && !close(file), d);
}

static void Cifar10IsDirectory(const char d[])
{
  MakeDirectory(d);
  Require(!mkdir(Batch(d), 0700), d);
}

/* reading a pipe that nobody writes would wait for ever */
static void Cifar10IsPipe(const char d[])
{
  MakeDirectory(d);
  Require(!mkfifo(Batch(d), 0600), d);
}

static void IdxGood(const char d[])
{
  WriteIdx(d, "train", "", "", 30, 4, 4);
}

static void IdxGoodGz(const char d[])
{
  WriteIdx(d, "train", ".gz", "", 30, 4, 4);
}

static void IdxNoLabels(const char d[])
{
  IdxGood(d);
  remove(Labels(d));
}

static void IdxMagic(const char d[])
{
  IdxGood(d);
  WriteIdxImages(Images(d), 0x802, 30, 30, 4, 4);
}

static void IdxLabelMagic(const char d[])
{
  IdxGood(d);
  WriteIdxLabels(Labels(d), 0x803, 30, 30);
}

static void IdxDisagree(const char d[])
{
  IdxGood(d);
  WriteIdxLabels(Labels(d), 0x801, 29, 29);
}

static void IdxHuge(const char d[])
{
  IdxGood(d);
  WriteIdxImages(Images(d), 0x803, 0xffffffff, 30, 4, 4);
}

static void IdxHugeGz(const char d[])
{
  IdxGoodGz(d);
  WriteIdxImages(ImagesGz(d), 0x803, 0xffffffff, 30, 4, 4);
}

static void IdxHugeLabelsGz(const char d[])
{
  IdxGood(d);
  remove(Labels(d));
  WriteIdxLabels(LabelsGz(d), 0x801, 0x7fffffff, 30);
}

/* 2^96 bytes */
static void IdxHugeImages(const char d[])
{
  unsigned char header[16];
  IdxGood(d);
  PutBigEndian(header, 0x803);
  for (int k = 1; k < 4; k++) PutBigEndian(header + (ptrdiff_t)4 * k, 0xffffffff);
  WritePlain(Images(d), header, sizeof(header));
}

static void IdxZeroImages(const char d[])
{
  IdxGood(d);
  WriteIdxImages(Images(d), 0x803, 0, 0, 4, 4);
}

static void IdxZeroHeight(const char d[])
{
  IdxGood(d);
  WriteIdxImages(Images(d), 0x803, 30, 30, 0, 4);
}

static void IdxHeaderOnly(const char d[])
{
  IdxGood(d);
  Truncate(Images(d), 10);
}

static void IdxTruncated(const char d[])
{
  IdxGood(d);
  Truncate(Images(d), 16 + 30 * 16 - 1);
}

static void IdxLonger(const char d[])
{
  IdxGood(d);
  AppendByte(Labels(d));
}

static void GzTruncated(const char d[])
{
  IdxGoodGz(d);
  Truncate(ImagesGz(d), SizeOf(ImagesGz(d)) / 2);
}

/* every image is there; the size that ends the file is not */
static void GzTruncatedTrailer(const char d[])
{
  IdxGoodGz(d);
  Truncate(ImagesGz(d), SizeOf(ImagesGz(d)) - 3);
}

/* several pieces to each rank are sent before it shows */
static void GzTruncatedLate(const char d[])
{
  WriteIdx(d, "train", ".gz", "", 1100, 128, 128);
  Truncate(ImagesGz(d), SizeOf(ImagesGz(d)) / 2);
}

static void GzEmpty(const char d[])
{
  IdxGoodGz(d);
  Truncate(ImagesGz(d), 0);
}

static void GzCorrupt(const char d[])
{
  IdxGoodGz(d);
  FlipByte(ImagesGz(d), SizeOf(ImagesGz(d)) / 2);
}

static void GzChecksum(const char d[])
{
  IdxGoodGz(d);
  FlipByte(ImagesGz(d), SizeOf(ImagesGz(d)) - 8);
}

static void GzLabelChecksum(const char d[])
{
  WriteIdx(d, "train", ".gz", ".gz", 30, 4, 4);
  FlipByte(LabelsGz(d), SizeOf(LabelsGz(d)) - 8);
}

static void GzIsPlain(const char d[])
{
  IdxGood(d);
  Require(!rename(Images(d), ImagesGz(d)), d);
}

static void GzFewerImages(const char d[])
{
  IdxGoodGz(d);
  WriteIdxImages(ImagesGz(d), 0x803, 30, 29, 4, 4);
}

static void GzMoreImages(const char d[])
{
  IdxGoodGz(d);
  WriteIdxImages(ImagesGz(d), 0x803, 30, 31, 4, 4);
}

static void GzTrailingBytes(const char d[])
{
  IdxGoodGz(d);
  AppendByte(ImagesGz(d));
  AppendByte(ImagesGz(d));
}

static const long image[3] = {1, 4, 4};

static void Hdf5Good(const char d[])
{
  MakeDirectory(d);
  WriteHdf5(Train(d), 30, image, H5T_STD_I32LE, 0);
}

static void Hdf5One(const char d[])
{
  MakeDirectory(d);
  WriteHdf5(PathOf(d, "a.h5"), 30, image, H5T_STD_I32LE, 0);
}

static void Hdf5Two(const char d[])
{
  Hdf5One(d);
  WriteHdf5(PathOf(d, "b.hdf5"), 30, image, H5T_STD_I32LE, 0);
}

static void Hdf5Truncated(const char d[])
{
  Hdf5Good(d);
  Truncate(Train(d), SizeOf(Train(d)) / 2);
}

static void Hdf5IsText(const char d[])
{
  MakeDirectory(d);
  WritePlain(Train(d), "not HDF5\n", 9);
}

static void Hdf5NoLabels(const char d[])
{
  MakeDirectory(d);
  WriteHdf5Images(Train(d), 30, image, 0);
}

/* zeros, but for one number of image 1 */
static void Hdf5Images(const char d[], int rank, hid_t type, int odd)
{
  int numbers[30 * 16] = {0};
  const hsize_t shape[4] = {30, 2, 2, 4};
  numbers[17] = odd;
  MakeDirectory(d);
  WriteHdf5Set(Train(d), "/images", rank, shape, H5T_NATIVE_INT, type, numbers, 0);
  WriteHdf5Labels(Train(d), 30, H5T_STD_I32LE);
}

static void Hdf5Rank(const char d[])
{
  Hdf5Images(d, 2, H5T_STD_U8LE, 0);
}

/* zeros, but for one number of image 1, which is none */
static void Hdf5Numbers(const char d[], double odd)
{
  double numbers[30 * 16] = {0};
  const hsize_t shape[4] = {30, 2, 2, 4};
  numbers[17] = odd;
  MakeDirectory(d);
  WriteHdf5Set(Train(d), "/images", 4, shape, H5T_NATIVE_DOUBLE, H5T_IEEE_F32LE, numbers, 0);
  WriteHdf5Labels(Train(d), 30, H5T_STD_I32LE);
}

static void Hdf5NotANumber(const char d[])
{
  Hdf5Numbers(d, NAN);
}

static void Hdf5Infinite(const char d[])
{
  Hdf5Numbers(d, -INFINITY);
}

static void Hdf5Large(const char d[])
{
  Hdf5Numbers(d, 1.5e30);
}

static void Hdf5LabelCount(const char d[])
{
  MakeDirectory(d);
  WriteHdf5Images(Train(d), 30, image, 0);
  WriteHdf5Labels(Train(d), 31, H5T_STD_I32LE);
}

static void Hdf5LabelType(const char d[])
{
  MakeDirectory(d);
  WriteHdf5(Train(d), 30, image, H5T_IEEE_F64LE, 0);
}

static void Hdf5LabelValue(const char d[], long long value)
{
  long long labels[30] = {0, 1};
  const hsize_t shape[1] = {30};
  labels[28] = value;
  MakeDirectory(d);
  WriteHdf5Images(Train(d), 30, image, 0);
  WriteHdf5Set(Train(d), "/labels", 1, shape, H5T_NATIVE_LLONG, H5T_STD_I64LE, labels, 0);
}

static void Hdf5LabelNegative(const char d[])
{
  Hdf5LabelValue(d, -7);
}

static void Hdf5LabelLarge(const char d[])
{
  Hdf5LabelValue(d, 2147483648);
}

static void OneLabel(const char d[])
{
  MakeDirectory(d);
  const long long labels[30] = {0};
  const hsize_t shape[1] = {30};
  WriteHdf5Images(Train(d), 30, image, 0);
  WriteHdf5Set(Train(d), "/labels", 1, shape, H5T_NATIVE_LLONG, H5T_STD_I64LE, labels, 0);
}

static void Pipe(const char d[])
{
  Require(!mkfifo(PathOf(d, NULL), 0600), d);
}

#endif

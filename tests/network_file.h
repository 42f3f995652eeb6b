/*
   Model files as bytes, for the tests of reading them: the seal of one that was changed, and files as psdnet wrote them in
   versions 1 and 2, without a seal and with texts of variable length. Rank 0 only.
*/
#ifndef PSD_TEST_NETWORK_FILE_H
#define PSD_TEST_NETWORK_FILE_H

#include "data_files.h"

#define SEAL 512

/* All of a file (free). */
static inline unsigned char *BytesOf(const char path[], size_t *size)
{
  FILE *file = fopen(path, "rb");
  struct stat found;
  Require(file && !stat(path, &found), path);
  *size = (size_t)found.st_size;
  unsigned char *bytes = malloc(*size + 1);
  Require(bytes && fread(bytes, 1, *size, file) == *size && !fclose(file), path);
  return bytes;
}

/* The seal of a file of version 3, of what it holds now (docs/formats.md). */
static inline void Seal(const char path[])
{
  size_t size;
  unsigned char *bytes = BytesOf(path, &size);
  char line[64];
  const int first = snprintf(line, sizeof(line), "psdnet-model 3 checksum %08x\n", 0u);
  memset(bytes, ' ', SEAL - 1);
  bytes[SEAL - 1] = '\n';
  const int second = snprintf(line, sizeof(line), "bytes %zu\n", size);
  memcpy(bytes + first, line, (size_t)second);
  const uLong sum = crc32_z(0, bytes + first, size - (size_t)first);
  (void)snprintf(line, sizeof(line), "psdnet-model 3 checksum %08lx\n", sum);
  memcpy(bytes, line, (size_t)first);
  WritePlain(path, bytes, size);
  free(bytes);
}

/* ---------------------------------------------------------------- versions 1 and 2 */

/* An attribute of the root again, its texts of variable length. */
static inline herr_t CopyAttribute(hid_t from, const char name[], const H5A_info_t *info, void *to)
{
  (void)info;
  hid_t attribute = H5Aopen(from, name, H5P_DEFAULT), type = H5Aget_type(attribute), space = H5Aget_space(attribute);
  const size_t size = H5Tget_size(type), count = (size_t)H5Sget_simple_extent_npoints(space);
  const PetscBool text = (PetscBool)(H5Tget_class(type) == H5T_STRING);
  char *values = calloc(count, size + 1), **texts = calloc(count, sizeof(char *));
  hid_t variable = H5Tcopy(H5T_C_S1);
  Require(values && texts && H5Aread(attribute, type, values) >= 0, name);
  H5Tset_size(variable, H5T_VARIABLE), H5Tset_cset(variable, H5T_CSET_UTF8);
  for (size_t k = 0; text && k < count; k++) texts[k] = strndup(values + k * size, size);
  hid_t copy = H5Acreate2(*(hid_t *)to, name, text ? variable : type, space, H5P_DEFAULT, H5P_DEFAULT);
  Require(H5Awrite(copy, text ? variable : type, text ? (void *)texts : (void *)values) >= 0, name);
  for (size_t k = 0; k < count; k++) free(texts[k]);
  free(texts), free(values);
  H5Aclose(copy), H5Tclose(variable), H5Sclose(space), H5Tclose(type), H5Aclose(attribute);
  return 0;
}

static inline void CopyObject(hid_t from, const char name[], hid_t to)
{
  if (H5Lexists(from, name, H5P_DEFAULT) > 0)
    Require(H5Ocopy(from, name, to, name, H5P_DEFAULT, H5P_DEFAULT) >= 0, name);
}

/* `path`, of version 3, as an older file: of version 1 when it has one branch, and of version 2 when it has more. */
static inline void MakeOld(const char path[], const char old[])
{
  int64_t branches = 0, version;
  hid_t from = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
  hid_t to = H5Fcreate(old, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  Require(H5Aiterate2(from, H5_INDEX_NAME, H5_ITER_INC, NULL, CopyAttribute, &to) >= 0, old);
  CopyObject(from, "neurons", to), CopyObject(from, "preprocess", to), CopyObject(from, "branch", to);
  hid_t attribute = H5Aopen(to, "branches", H5P_DEFAULT);
  Require(H5Aread(attribute, H5T_NATIVE_INT64, &branches) >= 0 && H5Aclose(attribute) >= 0, old);
  if (branches == 1) H5Adelete(to, "branches");
  version = branches == 1 ? 1 : 2;
  attribute = H5Aopen(to, "version", H5P_DEFAULT);
  Require(H5Awrite(attribute, H5T_NATIVE_INT64, &version) >= 0 && H5Aclose(attribute) >= 0, old);
  H5Fclose(from), H5Fclose(to);
}

#endif

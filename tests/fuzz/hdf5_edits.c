/*
   Changes to a sound HDF5 file, made by HDF5 as bytes say: numbers replaced by ones that are hard to bear, objects by others of
   any type, shape, layout and filter, by links inside the file and out of it. A change that HDF5 refuses is left out. What
   points outside points to a file in the same directory.
*/
#include "hdf5_files.h"
#include <hdf5.h>
#include <stdlib.h>
#include <string.h>

#define MOST_ITEMS 256
#define MOST_EDITS 32
#define MOST_BYTES 65536 /* that are written; shapes may be larger */
#define OUTSIDE "outside"

/* A group or data set, or an attribute of one ("" for none). */
typedef struct {
  char object[96], attribute[64];
} Item;

typedef struct {
  hid_t file;
  int count;
  Item item[MOST_ITEMS];
} Items;

/* ---------------------------------------------------------------- what there is */

static void AddItem(Items *items, const char object[], const char attribute[])
{
  if (items->count == MOST_ITEMS) return;
  Item *item = &items->item[items->count++];
  (void)snprintf(item->object, sizeof(item->object), "%s", object);
  (void)snprintf(item->attribute, sizeof(item->attribute), "%s", attribute);
}

typedef struct {
  Items *items;
  const char *object;
} Visit;

static herr_t VisitAttribute(hid_t object, const char name[], const H5A_info_t *info, void *context)
{
  const Visit *visit = context;
  (void)object, (void)info;
  AddItem(visit->items, visit->object, name);
  return 0;
}

static herr_t VisitObject(hid_t root, const char name[], const H5O_info_t *info, void *context)
{
  Items *items = context;
  Visit visit = {items, name};
  (void)info;
  if (strcmp(name, ".") != 0) AddItem(items, name, "");
  (void)H5Aiterate_by_name(root, name, H5_INDEX_NAME, H5_ITER_INC, NULL, VisitAttribute, &visit, H5P_DEFAULT);
  return 0;
}

/* ---------------------------------------------------------------- numbers that are hard to bear */

static int64_t Whole(FuzzBytes *edits)
{
  static const int64_t hard[] = {0,         1,         2,         -1,        INT32_MAX,       INT32_MIN,
                                 INT64_MAX, INT64_MIN, 1LL << 31, 1LL << 32, (1LL << 32) + 1, 1000000000};
  const uint8_t choice = FuzzByte(edits);
  return choice < sizeof(hard) / sizeof(hard[0]) ? hard[choice] : (int64_t)choice - 64;
}

static double Real(FuzzBytes *edits)
{
  static const double hard[] = {0, -0., 1, -1, 1e300, -1e300, 1e308, 1e-300, 1e-310, 1e15, -1e15, 1e-8};
  const uint8_t choice = FuzzByte(edits);
  if (choice < sizeof(hard) / sizeof(hard[0])) return hard[choice];
  if (choice < 16) return choice < 13 ? (double)NAN : choice < 14 ? (double)INFINITY : -(double)INFINITY;
  return ((double)choice - 128) / 16;
}

static void Fill(FuzzBytes *edits, size_t size, uint8_t bytes[])
{
  const uint8_t pattern = FuzzByte(edits);
  const double real = Real(edits);
  const int64_t whole = Whole(edits);
  const void *source = pattern % 4 == 1 ? (const void *)&real : (const void *)&whole;
  memset(bytes, pattern % 4 == 3 ? pattern : 0, size);
  for (size_t k = 0; k + 8 <= size && (pattern % 4 == 1 || pattern % 4 == 2); k += 8) memcpy(bytes + k, source, 8);
  for (size_t k = 0; k < size && k < pattern / 4 && edits->at < edits->end; k++) bytes[k] = FuzzByte(edits);
}

/* ---------------------------------------------------------------- types and shapes */

static hid_t Text(FuzzBytes *edits)
{
  const uint8_t choice = FuzzByte(edits);
  const hid_t type = H5Tcopy(H5T_C_S1);
  (void)H5Tset_size(type, choice % 4 == 0 ? H5T_VARIABLE : 1 + (size_t)choice * (choice % 8 == 1 ? 257 : 1));
  (void)H5Tset_strpad(type, choice & 64 ? H5T_STR_SPACEPAD : choice & 32 ? H5T_STR_NULLPAD : H5T_STR_NULLTERM);
  (void)H5Tset_cset(type, choice & 16 ? H5T_CSET_UTF8 : H5T_CSET_ASCII);
  return type;
}

static hid_t Compound(void)
{
  const hid_t type = H5Tcreate(H5T_COMPOUND, 16);
  (void)H5Tinsert(type, "a", 0, H5T_IEEE_F64LE);
  (void)H5Tinsert(type, "b", 8, H5T_STD_I64LE);
  return type;
}

static hid_t Enumeration(void)
{
  const hid_t type = H5Tenum_create(H5T_STD_U8LE);
  const uint8_t value = 1;
  (void)H5Tenum_insert(type, "one", &value);
  return type;
}

static hid_t OddInteger(FuzzBytes *edits)
{
  const hid_t type = H5Tcopy(H5T_STD_U16LE);
  (void)H5Tset_precision(type, 1 + FuzzByte(edits) % 16);
  (void)H5Tset_offset(type, FuzzByte(edits) % 8);
  return type;
}

static hid_t Type(FuzzBytes *edits)
{
  const hid_t plain[] = {H5T_STD_I8LE,   H5T_STD_U8LE,   H5T_STD_I16LE,   H5T_STD_U16BE,
                         H5T_STD_I32LE,  H5T_STD_U32LE,  H5T_STD_I64LE,   H5T_STD_U64BE,
                         H5T_IEEE_F32LE, H5T_IEEE_F32BE, H5T_IEEE_F64LE,  H5T_IEEE_F64BE,
                         H5T_STD_B8LE,   H5T_STD_B64LE,  H5T_STD_REF_OBJ, H5T_NATIVE_LDOUBLE};
  const uint8_t choice = FuzzByte(edits) % 24;
  const hsize_t three = 3;
  if (choice < sizeof(plain) / sizeof(plain[0])) return H5Tcopy(plain[choice]);
  if (choice == 16) return H5Tvlen_create(H5T_STD_I32LE);
  if (choice == 17) return H5Tcreate(H5T_OPAQUE, 7);
  if (choice == 18) return Compound();
  if (choice == 19) return Enumeration();
  if (choice == 20) return H5Tarray_create2(H5T_IEEE_F64LE, 1, &three);
  if (choice == 21) return OddInteger(edits);
  return Text(edits);
}

typedef struct {
  int axes;
  hsize_t extent[32];
} Shape;

static Shape ShapeOf(FuzzBytes *edits)
{
  static const hsize_t hard[] = {0, 1, 1000, 65536, 1ULL << 31, (1ULL << 32) + 1, 1ULL << 40, 1ULL << 62};
  const uint8_t choice = FuzzByte(edits);
  Shape shape = {.axes = choice < 250 ? choice % 6 : 32};
  for (int k = 0; k < shape.axes; k++) {
    const uint8_t extent = FuzzByte(edits);
    shape.extent[k] = extent < 240 ? extent % 40 : hard[extent % 8];
  }
  return shape;
}

static hid_t Space(FuzzBytes *edits, const Shape *shape)
{
  if (shape->axes) return H5Screate_simple(shape->axes, shape->extent, NULL);
  return H5Screate(FuzzByte(edits) % 4 ? H5S_SCALAR : H5S_NULL);
}

/* ---------------------------------------------------------------- layouts */

/* Returns whether HDF5 can write through them: of some filters it frees what it has not allocated. */
static PetscBool Filters(FuzzBytes *edits, hid_t creation)
{
  const uint8_t choice = FuzzByte(edits);
  if (choice & 1) (void)H5Pset_shuffle(creation);
  if (choice & 2) (void)H5Pset_deflate(creation, choice / 32);
  if (choice & 4) (void)H5Pset_fletcher32(creation);
  if (choice & 8) (void)H5Pset_scaleoffset(creation, H5Z_SO_INT, 0);
  if (choice & 16) (void)H5Pset_nbit(creation);
  return (PetscBool)(!(choice & (8 | 16)));
}

/* Chunks, which may be larger than the data set and than any memory. */
static PetscBool Chunks(FuzzBytes *edits, const Shape *shape, hid_t creation)
{
  hsize_t chunk[32];
  for (int k = 0; k < shape->axes; k++) {
    const uint8_t choice = FuzzByte(edits);
    chunk[k] = choice < 250 ? 1ULL + choice % 50 : 1ULL << (choice - 250) * 5;
  }
  if (!shape->axes || H5Pset_chunk(creation, shape->axes, chunk) < 0) return PETSC_FALSE;
  return Filters(edits, creation);
}

static void Virtual(const Shape *shape, hid_t creation)
{
  const hid_t space = H5Screate_simple(shape->axes, shape->extent, NULL);
  (void)H5Pset_virtual(creation, space, FuzzPath(OUTSIDE), "/images", space);
  if (space >= 0) (void)H5Sclose(space);
}

static double Points(const Shape *shape)
{
  double points = 1;
  for (int k = 0; k < shape->axes; k++) points *= (double)shape->extent[k];
  return points;
}

/* Returns whether what is created may be written to: what is stored outside must not. */
static PetscBool Layout(FuzzBytes *edits, const Shape *shape, hid_t creation)
{
  const uint8_t choice = FuzzByte(edits) % 8, time = FuzzByte(edits);
  const int64_t value = Whole(edits);
  /* what is large is not there before it is written, which it never is */
  if (choice < 2 && Points(shape) <= MOST_BYTES) (void)H5Pset_alloc_time(creation, (H5D_alloc_time_t)(time % 4));
  (void)H5Pset_fill_time(creation, (H5D_fill_time_t)(time / 4 % 3));
  if (time & 64) (void)H5Pset_fill_value(creation, H5T_NATIVE_INT64, &value);
  if (choice == 1) (void)H5Pset_layout(creation, H5D_COMPACT);
  PetscBool writable = (PetscBool)(choice != 4 && choice != 5 && !(time & 128));
  if ((choice == 2 || choice == 3) && !Chunks(edits, shape, creation)) writable = PETSC_FALSE;
  if (choice == 4) (void)H5Pset_external(creation, FuzzPath(OUTSIDE), 0, H5F_UNLIMITED);
  if (choice == 5 && shape->axes) Virtual(shape, creation);
  return writable;
}

/* ---------------------------------------------------------------- the changes */

static void WriteAll(hid_t set, hid_t attribute, hid_t type, hid_t space, FuzzBytes *edits)
{
  const hssize_t points = H5Sget_simple_extent_npoints(space);
  const size_t size = H5Tget_size(type);
  const char *text = "0";
  if (points <= 0 || (size_t)points > MOST_BYTES || !size || size > MOST_BYTES / (size_t)points) return;
  const PetscBool variable = (PetscBool)(H5Tis_variable_str(type) > 0);
  if (!variable && H5Tdetect_class(type, H5T_VLEN) > 0) return;
  uint8_t *bytes = FuzzAllocate((size_t)points * size);
  Fill(edits, (size_t)points * size, bytes);
  for (hssize_t k = 0; k < points && variable; k++) memcpy(bytes + (size_t)k * size, &text, sizeof(text));
  if (attribute >= 0) (void)H5Awrite(attribute, type, bytes);
  else (void)H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes);
  free(bytes);
}

static void ReplaceAttribute(const Items *items, const Item *item, hid_t type, hid_t space, FuzzBytes *edits)
{
  (void)H5Adelete_by_name(items->file, item->object, item->attribute, H5P_DEFAULT);
  const hid_t attribute =
      H5Acreate_by_name(items->file, item->object, item->attribute, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  if (attribute < 0) return;
  if (FuzzByte(edits) % 8) WriteAll(-1, attribute, type, space, edits);
  (void)H5Aclose(attribute);
}

static void ReplaceSet(const Items *items, const Item *item, hid_t type, hid_t space, const Shape *shape,
                       FuzzBytes *edits)
{
  const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
  const PetscBool writable = Layout(edits, shape, creation);
  (void)H5Ldelete(items->file, item->object, H5P_DEFAULT);
  const hid_t set = H5Dcreate2(items->file, item->object, type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
  if (set >= 0 && writable) WriteAll(set, -1, type, space, edits);
  if (set >= 0) (void)H5Dclose(set);
  (void)H5Pclose(creation);
}

static void Replace(const Items *items, const Item *item, FuzzBytes *edits)
{
  const hid_t type = Type(edits);
  const Shape shape = ShapeOf(edits);
  const hid_t space = Space(edits, &shape);
  if (type >= 0 && space >= 0 && item->attribute[0]) ReplaceAttribute(items, item, type, space, edits);
  else if (type >= 0 && space >= 0) ReplaceSet(items, item, type, space, &shape, edits);
  if (space >= 0) (void)H5Sclose(space);
  if (type >= 0) (void)H5Tclose(type);
}

/* One number of an attribute or data set; of a text, one byte. Returns the numbers, in the type `memory`, or NULL. */
static uint8_t *ChangeOne(hid_t object, PetscBool attribute, hid_t type, hid_t memory, hssize_t points,
                          FuzzBytes *edits)
{
  const H5T_class_t class = H5Tget_class(type);
  const size_t size = H5Tget_size(memory), bytes = (size_t)points * size, at = FuzzWord(edits, 2);
  if (points <= 0 || points > MOST_BYTES || !size || size > MOST_BYTES) return NULL;
  if (H5Tdetect_class(type, H5T_VLEN) > 0 || H5Tis_variable_str(type) > 0 || bytes > 16 * MOST_BYTES) return NULL;
  uint8_t *all = FuzzAllocate(bytes);
  (void)(attribute ? H5Aread(object, memory, all) : H5Dread(object, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, all));
  const int64_t whole = Whole(edits);
  const double real = Real(edits);
  if (class == H5T_INTEGER) memcpy(all + at % (size_t)points * size, &whole, sizeof(whole));
  else if (class == H5T_FLOAT) memcpy(all + at % (size_t)points * size, &real, sizeof(real));
  else all[at % bytes] = FuzzByte(edits);
  return all;
}

/* Whether HDF5 survives numbers that go through the filters of a data set: some corrupt its memory when the type is not one
   that they are made for. */
static PetscBool IsFilteredSafely(hid_t set)
{
  const hid_t creation = H5Dget_create_plist(set);
  const PetscBool odd =
      (PetscBool)(H5Pget_filter_by_id2(creation, H5Z_FILTER_SCALEOFFSET, NULL, NULL, NULL, 0, NULL, NULL) >= 0 ||
                  H5Pget_filter_by_id2(creation, H5Z_FILTER_NBIT, NULL, NULL, NULL, 0, NULL, NULL) >= 0);
  (void)H5Pclose(creation);
  return (PetscBool)!odd;
}

/* An attribute is made anew: HDF5 1.10 writes beyond its memory when one that was read from a file, of 17 numbers of 8 bits,
   is written to. */
static void WriteAttribute(const Items *items, const Item *item, hid_t type, hid_t space, hid_t memory, const void *all)
{
  (void)H5Adelete_by_name(items->file, item->object, item->attribute, H5P_DEFAULT);
  const hid_t attribute =
      H5Acreate_by_name(items->file, item->object, item->attribute, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  if (attribute < 0) return;
  (void)H5Awrite(attribute, memory, all);
  (void)H5Aclose(attribute);
}

static void Set(const Items *items, const Item *item, FuzzBytes *edits)
{
  const PetscBool attribute = (PetscBool)(item->attribute[0] != 0);
  const hid_t object = attribute ? H5Aopen_by_name(items->file, item->object, item->attribute, H5P_DEFAULT, H5P_DEFAULT)
                                 : H5Dopen2(items->file, item->object, H5P_DEFAULT);
  if (object < 0) return;
  const hid_t type = attribute ? H5Aget_type(object) : H5Dget_type(object);
  const hid_t space = attribute ? H5Aget_space(object) : H5Dget_space(object);
  const H5T_class_t class = type >= 0 ? H5Tget_class(type) : H5T_NO_CLASS;
  const hid_t memory = class == H5T_INTEGER ? H5T_NATIVE_INT64 : class == H5T_FLOAT ? H5T_NATIVE_DOUBLE : type;
  uint8_t *all = NULL;
  if (type >= 0 && space >= 0 && (attribute || IsFilteredSafely(object)))
    all = ChangeOne(object, attribute, type, memory, H5Sget_simple_extent_npoints(space), edits);
  if (all && !attribute) (void)H5Dwrite(object, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, all);
  (void)(attribute ? H5Aclose(object) : H5Dclose(object));
  if (all && attribute) WriteAttribute(items, item, type, space, memory, all);
  if (space >= 0) (void)H5Sclose(space);
  if (type >= 0) (void)H5Tclose(type);
  free(all);
}

static void Delete(const Items *items, const Item *item, FuzzBytes *edits)
{
  (void)edits;
  if (item->attribute[0]) (void)H5Adelete_by_name(items->file, item->object, item->attribute, H5P_DEFAULT);
  else (void)H5Ldelete(items->file, item->object, H5P_DEFAULT);
}

/* Another object under the name: by a link inside the file, or out of it, or a group, or a copy. */
static void Link(const Items *items, const Item *item, FuzzBytes *edits)
{
  const uint8_t choice = FuzzByte(edits) % 6;
  const char *name = item->object, *other = items->item[FuzzByte(edits) % items->count].object;
  if (item->attribute[0]) return;
  if (choice != 4) (void)H5Ldelete(items->file, name, H5P_DEFAULT);
  if (choice == 0) (void)H5Lcreate_soft(other, items->file, name, H5P_DEFAULT, H5P_DEFAULT);
  if (choice == 1) (void)H5Lcreate_external(FuzzPath(OUTSIDE), "/images", items->file, name, H5P_DEFAULT, H5P_DEFAULT);
  if (choice == 2) (void)H5Lcreate_hard(items->file, other, items->file, name, H5P_DEFAULT, H5P_DEFAULT);
  if (choice == 3) (void)H5Ocopy(items->file, other, items->file, name, H5P_DEFAULT, H5P_DEFAULT);
  if (choice == 4) (void)H5Lmove(items->file, other, items->file, name, H5P_DEFAULT, H5P_DEFAULT);
  if (choice != 5) return;
  const hid_t group = H5Gcreate2(items->file, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  if (group >= 0) (void)H5Gclose(group);
}

void FuzzEditHdf5(const char path[], FuzzBytes edits)
{
  static void (*const changes[])(const Items *, const Item *, FuzzBytes *) = {Set,     Set,    Set, Replace,
                                                                              Replace, Delete, Link};
  static Items items;
  items.count = 0;
  items.file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
  FuzzRequire(items.file >= 0 && H5Ovisit(items.file, H5_INDEX_NAME, H5_ITER_INC, VisitObject, &items) >= 0, path);
  for (int k = 0; k < MOST_EDITS && edits.at < edits.end && items.count; k++) {
    const uint8_t choice = FuzzByte(&edits);
    const Item *item = &items.item[FuzzByte(&edits) % items.count];
    (*changes[choice % (sizeof(changes) / sizeof(changes[0]))])(&items, item, &edits);
  }
  (void)H5Fclose(items.file);
}

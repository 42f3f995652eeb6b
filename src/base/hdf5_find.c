/*
   Objects by name (hdf5_plain.h): a group is a tree of symbol tables, whose entries have their names in a heap of the group's
   own. The trees of psdnet's files are one leaf; what matters is that no tree leads on for ever, or out of the file.
*/
#include "hdf5_plain.h"
#include <string.h>

#define MOST_DEPTH 8
#define LINK 2 /* kind of an entry that is a name of another one */

typedef struct {
  PsdH5Plain *file;
  const char *name; /* the one that is looked for, of `length` bytes */
  size_t length;
  uint64_t names, names_bytes; /* where the names are */
  uint64_t found;              /* address of its header */
} Search;

static void OpenNames(Search *search, uint64_t heap, PsdFailure *failure)
{
  unsigned char head[32];

  PsdH5ReadPiece(search->file, heap, sizeof(head), head, failure);
  if (memcmp(head, "HEAP", 4) || head[4] != 0) PsdH5Damaged(search->file, "a group has no names", failure);
  search->names_bytes = PsdH5Number(head + 8, 8);
  search->names = PsdH5Number(head + 24, 8);
}

/* Whether the name at `offset` is the one that is looked for. */
static PetscBool IsName(const Search *search, uint64_t offset, PsdFailure *failure)
{
  char name[PSD_H5_NAME];

  if (search->names_bytes <= search->length || offset > search->names_bytes - search->length - 1) return PETSC_FALSE;
  if (search->names > UINT64_MAX - offset) return PETSC_FALSE;
  PsdH5ReadPiece(search->file, search->names + offset, search->length + 1, name, failure);
  return (PetscBool)(!failure->failed && !memcmp(name, search->name, search->length) && !name[search->length]);
}

static void SearchTable(Search *search, uint64_t address, PsdFailure *failure)
{
  unsigned char head[8], entry[40];

  PsdH5ReadPiece(search->file, address, sizeof(head), head, failure);
  if (memcmp(head, "SNOD", 4) || head[4] != 1) PsdH5Damaged(search->file, "a group has no entries", failure);
  const uint64_t count = PsdH5Number(head + 6, 2);
  for (uint64_t k = 0; k < count && search->found == PSD_H5_UNDEFINED && !failure->failed; k++) {
    PsdH5ReadPiece(search->file, address + 8 + 40 * k, sizeof(entry), entry, failure);
    if (!IsName(search, PsdH5Number(entry, 8), failure)) continue;
    if (PsdH5Number(entry + 16, 4) == LINK) PsdH5Unread(search->file, search->name, "is a link", failure);
    search->found = PsdH5Number(entry + 8, 8);
  }
}

/* Children lie between keys, of which nothing is needed here. */
static void SearchTree(Search *search, uint64_t address, int depth, PsdFailure *failure)
{
  unsigned char head[24], child[8];

  PsdH5ReadPiece(search->file, address, sizeof(head), head, failure);
  if (memcmp(head, "TREE", 4) || head[4] != 0 || head[5] > MOST_DEPTH || (depth >= 0 && head[5] != depth))
    PsdH5Damaged(search->file, "a group's tree is none", failure);
  const int level = head[5];
  const uint64_t count = PsdH5Number(head + 6, 2);
  for (uint64_t k = 0; k < count && search->found == PSD_H5_UNDEFINED && !failure->failed; k++) {
    PsdH5ReadPiece(search->file, address + 32 + 16 * k, sizeof(child), child, failure);
    if (level) SearchTree(search, PsdH5Number(child, 8), level - 1, failure);
    else SearchTable(search, PsdH5Number(child, 8), failure);
  }
}

/* One word of a name in one group. */
static uint64_t FindHere(PsdH5Plain *file, const PsdH5Header *group, const char name[], PsdFailure *failure)
{
  Search search = {.file = file, .name = name, .length = strlen(name), .found = PSD_H5_UNDEFINED};
  const PetscInt symbols = PsdH5FindMessage(group, PSD_H5_SYMBOLS, 0);

  if (failure->failed) return PSD_H5_UNDEFINED;
  if (symbols < 0 || group->message[symbols].size < 16) {
    PsdH5Unread(file, name, "is looked for in what is no group, or one of another form (with links to other files?)",
                failure);
    return PSD_H5_UNDEFINED;
  }
  const unsigned char *addresses = PsdH5MessageBytes(group, symbols).at;
  OpenNames(&search, PsdH5Number(addresses + 8, 8), failure);
  SearchTree(&search, PsdH5Number(addresses, 8), -1, failure);
  return failure->failed ? PSD_H5_UNDEFINED : search.found;
}

uint64_t PsdH5FindObject(PsdH5Group group, const char name[], PsdFailure *failure)
{
  PsdH5Header inner = {.count = 0};
  const PsdH5Header *here = &group.header;
  uint64_t found = PSD_H5_UNDEFINED;
  char words[PSD_H5_NAME], *rest = NULL;

  (void)snprintf(words, sizeof(words), "%s", name);
  for (const char *word = strtok_r(words, "/", &rest); word; word = strtok_r(NULL, "/", &rest)) {
    if (found != PSD_H5_UNDEFINED) {
      PsdH5FreeHeader(&inner);
      inner = PsdH5ReadHeader(group.file, found, failure);
      here = &inner;
    }
    found = FindHere(group.file, here, word, failure);
    if (found == PSD_H5_UNDEFINED) break;
  }
  PsdH5FreeHeader(&inner);
  return found;
}

/*
   The files of a run: every name that is given for a file is kept here, with what becomes of that file, so that before
   anything is read two of them that are one file are found and refused. Options that name files are read by
   PsdOptionPath and in no other way; what follows from them (FILE.gram) or comes from elsewhere is declared.

   Two names are one file when device and inode are the same, or, where there is no file yet, when their directories are
   the same and the last names. In a directory that is read, those files count that `reads` says are looked at.
*/
#include "base.h"
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct {
  char *what, *path; /* as messages call it; as it was given, NULL: missing */
  char *missing;     /* what was expected where it is missing, or NULL */
  PsdPathRole role;
} NamedFile;

static struct {
  NamedFile *file;
  size_t count, room;
} run;

/* ---------------------------------------------------------------- what there is */

static void Free(NamedFile *it)
{
  free(it->what);
  free(it->path);
  free(it->missing);
  memset(it, 0, sizeof(*it));
}

void PsdPathsForget(void)
{
  for (size_t k = 0; k < run.count; k++) Free(&run.file[k]);
  free(run.file);
  memset(&run, 0, sizeof(run));
}

/* path NULL: any */
static NamedFile *Find(const char what[], const char path[])
{
  for (size_t k = 0; k < run.count; k++)
    if (!strcmp(run.file[k].what, what) && (!path || (run.file[k].path && !strcmp(run.file[k].path, path))))
      return &run.file[k];
  return NULL;
}

static char *CopyOf(const char text[])
{
  return text ? strdup(text) : NULL;
}

/* In the place of `it`, or as one more. malloc, as options files are declared before PETSc runs. */
static PetscErrorCode Keep(NamedFile *it, const char what[], const char path[], const char missing[], PsdPathRole role)
{
  PetscFunctionBeginUser;
  if (it) Free(it);
  else {
    if (run.count == run.room) {
      NamedFile *more = realloc(run.file, (2 * run.room + 8) * sizeof(*more));
      PetscCheck(more, PETSC_COMM_SELF, PETSC_ERR_MEM, "PsdPathDeclare");
      run.file = more;
      run.room = 2 * run.room + 8;
    }
    it = &run.file[run.count++];
  }
  *it = (NamedFile){CopyOf(what), CopyOf(path), CopyOf(missing), role};
  PetscCheck(it->what && (it->path || !path) && (it->missing || !missing), PETSC_COMM_SELF, PETSC_ERR_MEM,
             "PsdPathDeclare");
  PetscFunctionReturn(0);
}

PetscErrorCode PsdPathDeclare(const char what[], const char path[], PsdPathRole role)
{
  PetscFunctionBeginUser;
  PetscCall(Keep(Find(what, path), what, path, NULL, role));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdOptionPath(const char name[], const char text[], PsdPathRole role, PetscBool required,
                             char path[PETSC_MAX_PATH_LEN])
{
  PetscFunctionBeginUser;
  PetscBool given;
  path[0] = '\0';
  PetscCall(PsdOptionString(name, text, path, PETSC_MAX_PATH_LEN, &given));
  name = PsdOptionsName(name);
  if (given) PetscCall(Keep(Find(name, NULL), name, path, NULL, role));
  else if (required) PetscCall(Keep(Find(name, NULL), name, NULL, text, role));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- PETSc's own outputs */

/* The file in a value "type:file:format" of an option that views or monitors, or the value of -citations; NULL: none, or
   a device. The value is spoilt. */
static const char *ViewedFile(const char name[], char value[])
{
  char *file = value;

  if (strcmp(name, "-citations")) {
    file = strstr(name, "view") || strstr(name, "monitor") ? strchr(value, ':') : NULL;
    if (!file) return NULL;
    file[1 + strcspn(file + 1, ":")] = '\0';
    file++;
  }
  return *file && strncmp(file, "/dev/", 5) ? file : NULL;
}

static PetscErrorCode Declare(const char name[], const char file[])
{
  return PsdPathDeclare(PsdOptionsName(name), file, PSD_PATH_OUTPUT);
}

static PetscErrorCode Drop(const char name[], const char file[])
{
  (void)file;
  return PetscOptionsClearValue(NULL, name);
}

/* PETSc writes them at its end, over whatever is there. */
static PetscErrorCode ForPetscOutputs(PetscErrorCode (*act)(const char name[], const char file[]))
{
  PetscFunctionBeginUser;
  char *options, *rest = NULL;
  const char *name = NULL, *file;
  PetscCall(PetscOptionsGetAll(NULL, &options));
  for (char *word = strtok_r(options, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
    if (word[0] == '-') name = word;
    else if (name && (file = ViewedFile(name, word))) PetscCall((*act)(name, file));
  }
  PetscCall(PetscFree(options));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdPathsRefuse(void)
{
  PetscFunctionBeginUser;
  PetscCall(ForPetscOutputs(Drop));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- which file it is */

typedef struct {
  PetscBool there, has_directory;
  dev_t device, directory_device;
  ino_t inode, directory_inode;
  PetscBool is_directory;
  char path[PETSC_MAX_PATH_LEN]; /* resolved */
  const char *name;              /* the last one */
} Identity;

static void Identify(const char path[], Identity *it)
{
  char directory[PETSC_MAX_PATH_LEN];
  struct stat found;

  memset(it, 0, sizeof(*it));
  if (PsdFileResolve(path, it->path)) (void)snprintf(it->path, sizeof(it->path), "%s", path);
  if (!stat(it->path, &found)) {
    it->there = PETSC_TRUE;
    it->is_directory = (PetscBool)S_ISDIR(found.st_mode);
    it->device = found.st_dev;
    it->inode = found.st_ino;
  }
  const char *slash = strrchr(it->path, '/');
  it->name = slash ? slash + 1 : it->path;
  (void)snprintf(directory, sizeof(directory), "%.*s", slash ? (int)(slash - it->path) + 1 : 1, slash ? it->path : ".");
  if (stat(directory, &found)) return;
  it->has_directory = PETSC_TRUE;
  it->directory_device = found.st_dev;
  it->directory_inode = found.st_ino;
}

static PetscBool IsSame(const Identity *a, const Identity *b)
{
  if (a->there != b->there) return PETSC_FALSE;
  if (a->there) return (PetscBool)(a->device == b->device && a->inode == b->inode);
  if (a->has_directory != b->has_directory) return PETSC_FALSE;
  if (!a->has_directory) return (PetscBool)!strcmp(a->path, b->path);
  return (PetscBool)(a->directory_device == b->directory_device && a->directory_inode == b->directory_inode &&
                     !strcmp(a->name, b->name));
}

/* ---------------------------------------------------------------- what must not be */

typedef struct {
  const NamedFile *input, *output;
  const Identity *directory, *file;
  PetscBool (*reads)(const char directory[], const char name[]);
} Meeting;

#define MOST_BELOW 2 /* folders in folders: a split, and a class in it */

/* The output among the files of a directory that is read, or of a folder below it (such as "cats/"): one that is there,
   by whatever name, or a new one that would be taken for one of them. */
static void CheckFolder(const Meeting *it, const char below[], int depth, PsdFailure *failure)
{
  char path[PETSC_MAX_PATH_LEN], name[PETSC_MAX_PATH_LEN];
  const Identity *file = it->file;
  struct stat found;
  const int whole = snprintf(path, sizeof(path), "%s/%s", it->directory->path, below);
  if (whole < 0 || (size_t)whole >= sizeof(path)) return;
  DIR *entries = stat(path, &found) ? NULL : opendir(path);
  if (!entries) return;
  const PetscBool inside = (PetscBool)(file->has_directory && file->directory_device == found.st_dev &&
                                       file->directory_inode == found.st_ino);
  const int length = snprintf(name, sizeof(name), "%s%s", below, file->name);
  if (inside && !file->there && length < (int)sizeof(name) && (*it->reads)(it->directory->path, name))
    PsdFailureRecord(failure, "%s %s would be taken for images of %s %s, expected another name or directory",
                     it->output->what, it->output->path, it->input->what, it->input->path);
  for (const struct dirent *entry; (entry = readdir(entries)) && !failure->failed;) {
    const PetscBool read = (PetscBool)(snprintf(name, sizeof(name), "%s%s", below, entry->d_name) < (int)sizeof(name) &&
                                       (*it->reads)(it->directory->path, name));
    const PetscBool may_be_folder = (PetscBool)(!read && depth < MOST_BELOW && entry->d_name[0] != '.');
    if (!(read && file->there) && !may_be_folder) continue;
    const int size = snprintf(path, sizeof(path), "%s/%s", it->directory->path, name);
    if (size < 0 || (size_t)size >= sizeof(path) - 1 || stat(path, &found)) continue;
    if (read && found.st_dev == file->device && found.st_ino == file->inode)
      PsdFailureRecord(failure, "%s %s would replace %s of %s %s, which is read", it->output->what, it->output->path,
                       name, it->input->what, it->input->path);
    if (!may_be_folder || !S_ISDIR(found.st_mode)) continue;
    const size_t end = strlen(name);
    if (end + 1 < sizeof(name)) {
      memcpy(name + end, "/", 2);
      CheckFolder(it, name, depth + 1, failure);
    }
  }
  (void)closedir(entries);
}

static void CheckPair(const NamedFile *a, const Identity *id_a, const NamedFile *b, const Identity *id_b,
                      PetscBool (*reads)(const char directory[], const char name[]), PsdFailure *failure)
{
  const NamedFile *output = a->role == PSD_PATH_OUTPUT ? a : b, *other = output == a ? b : a;
  const Identity *id_output = output == a ? id_a : id_b, *id_other = output == a ? id_b : id_a;

  if (output->role != PSD_PATH_OUTPUT) return;
  if (other->role == PSD_PATH_INPUT && id_other->is_directory) {
    const Meeting meeting = {other, output, id_other, id_output, reads};
    CheckFolder(&meeting, "", 0, failure);
  } else if (IsSame(id_a, id_b)) {
    if (other->role == PSD_PATH_OUTPUT)
      PsdFailureRecord(failure, "%s %s and %s %s are the same file, expected one for each", other->what, other->path,
                       output->what, output->path);
    else
      PsdFailureRecord(failure, "%s %s would replace %s %s, which is read", output->what, output->path, other->what,
                       other->path);
  }
}

static void CheckPairs(PetscBool (*reads)(const char directory[], const char name[]), PsdFailure *failure)
{
  Identity *identity = calloc(run.count + 1, sizeof(*identity));

  if (!identity) {
    PsdFailureRecord(failure, "no memory for the names of %zu files", run.count);
    return;
  }
  for (size_t a = 0; a < run.count && !failure->failed; a++) {
    Identify(run.file[a].path, &identity[a]);
    for (size_t b = 0; b < a && !failure->failed; b++)
      CheckPair(&run.file[b], &identity[b], &run.file[a], &identity[a], reads, failure);
  }
  free(identity);
}

PetscErrorCode PsdPathsCheck(MPI_Comm comm, PetscBool (*reads)(const char directory[], const char name[]))
{
  PetscFunctionBeginUser;
  PsdFailure failure = {PETSC_FALSE, ""};
  PetscMPIInt rank;
  PetscCall(ForPetscOutputs(Declare));
  for (size_t k = 0; k < run.count; k++)
    PsdCheckInput(run.file[k].path, "option %s is missing: expected %s", run.file[k].what, run.file[k].missing);
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (rank == 0) CheckPairs(reads, &failure);
  PetscCall(PsdFailureAgree(comm, &failure));
  for (size_t k = 0; k < run.count; k++)
    if (run.file[k].role == PSD_PATH_OUTPUT) PetscCall(PsdFileCheckWritable(comm, run.file[k].what, run.file[k].path));
  PetscFunctionReturn(0);
}

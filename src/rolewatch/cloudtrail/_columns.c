/* Records in, columns of their fields out, laid out as Apache Arrow lays out texts: what a lake's files are written from.
 *
 * Everything in here is optional, as in _native.c. A record that is the least unusual is not taken, and left to Python. The
 * Python side is described in _columns.pyi.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#if defined(__x86_64__) && defined(__GNUC__)
#define SUPPORTED 1
#include "_walk.h"
#endif

#ifdef SUPPORTED

enum { TEXT, TRUTH, TIME, OBJECT, FIRST, KINDS }; /* FIRST: an array, of which the first element is an object */

/* A member to find by its name: a column of its own, or an object with members of its own. */
typedef struct {
    char *name;
    Py_ssize_t length;
    int kind, column;
    int first, count; /* its members, by their places */
    uint64_t met;     /* the record in which it was met last */
} Field;

typedef struct {
    Bytes begin, end; /* of a value; `begin` is NULL where there is none */
} Piece;

/* A column: texts one behind the other, where each ends, and whether it is there. */
typedef struct {
    char *data;
    size_t length, room;
    int32_t *ends;
    unsigned char *there;
    Py_ssize_t missing;
} Texts;

typedef struct {
    PyObject_HEAD
    Field *fields;
    int field_count, root_count, width; /* `width` columns, and one behind them of whole records */
    Texts *columns;
    Piece *pieces;
    unsigned char *inexact; /* for each row */
    Py_ssize_t rows, room;
    uint64_t record;
    Names names;
} Columns;

#define MOST_BYTES INT32_MAX

/* ---- one record ---- */

static Bytes walk_object(Columns *self, Bytes at, Bytes limit, int first, int count, unsigned *seen);

/* The end of a value that is not gone into. */
static Bytes whole_end(Columns *self, Bytes at, Bytes limit, unsigned *seen)
{
    return named_value_end(at, limit, seen, &self->names);
}

/* The end of a time in the only spelling that is taken. There was no year 0, and of an hour 24 not everybody knows. */
static Bytes time_end(Bytes at, Bytes limit)
{
    static const char SHAPE[] = "\"0000-00-00T00:00:00Z\"";
    if (limit - at < (Py_ssize_t)sizeof SHAPE - 1) return NULL;
    for (size_t place = 0; place < sizeof SHAPE - 1; place++)
        if (SHAPE[place] == '0' ? !Py_ISDIGIT(at[place]) : at[place] != (unsigned char)SHAPE[place]) return NULL;
    if (!memcmp(at, SHAPE, 5) || memcmp(at + 12, "24", 2) >= 0) return NULL;
    return at + sizeof SHAPE - 1;
}

/* The end of an array, whose first element is gone through if it is an object. */
static Bytes walk_first(Columns *self, Bytes at, Bytes limit, const Field *field, unsigned *seen)
{
    if (limit - at < 2 || at[1] != '{') return whole_end(self, at, limit, seen);
    at = walk_object(self, at + 1, limit, field->first, field->count, seen);
    while (at && at < limit && *at == ',') at = whole_end(self, at + 1, limit, seen);
    return at && at < limit && *at == ']' ? at + 1 : NULL;
}

static Bytes walk_value(Columns *self, Bytes at, Bytes limit, Field *field, unsigned *seen)
{
    if (at >= limit || field->met == self->record) return NULL; /* there are two of this name */
    field->met = self->record;
    Bytes end;
    switch (field->kind) {
    case OBJECT: return *at == '{' ? walk_object(self, at, limit, field->first, field->count, seen) : whole_end(self, at, limit, seen);
    case FIRST: return *at == '[' ? walk_first(self, at, limit, field, seen) : *at == '{' ? NULL : whole_end(self, at, limit, seen);
    case TRUTH: end = *at == 't' || *at == 'f' || *at == 'n' ? whole_end(self, at, limit, seen) : NULL; break;
    case TIME: end = time_end(at, limit); break;
    default: end = *at == '"' || *at == 'n' || *at == '{' || *at == '[' ? whole_end(self, at, limit, seen) : NULL;
    }
    if (*at == 'n' || *at == '{' || *at == '[') return end;
    self->pieces[field->column].begin = at;
    self->pieces[field->column].end = end;
    return end;
}

/* Go through an object, note the pieces of its fields, and give its end. Members mostly come in the order of the fields. */
static Bytes walk_object(Columns *self, Bytes at, Bytes limit, int first, int count, unsigned *seen)
{
    if (at >= limit || *at++ != '{') return NULL;
    if (at < limit && *at == '}') return at + 1;
    int next = 0, names = self->names.count;
    for (;;) {
        Bytes key = at + 1;
        if (!(at = noted_end(at, limit, seen, &self->names, names))) return NULL;
        Py_ssize_t length = at - key - 2;
        Field *field = NULL;
        for (int tried = 0; tried < count && !field; tried++) {
            Field *candidate = &self->fields[first + (next + tried) % count];
            if (candidate->length == length && !memcmp(candidate->name, key, (size_t)length)) field = candidate;
        }
        if (field) {
            next = (int)(field - self->fields) - first + 1;
            at = walk_value(self, at, limit, field, seen);
        } else {
            if (memchr(key, '\\', (size_t)length)) return NULL; /* which may spell one of the names */
            at = whole_end(self, at, limit, seen);
        }
        if (!at || at >= limit) return NULL;
        if (*at == '}') {
            self->names.count = names;
            return at + 1;
        }
        if (*at++ != ',') return NULL;
    }
}

/* ---- the columns ---- */

static int reserve(Texts *texts, size_t more)
{
    if (texts->length + more > MOST_BYTES) {
        PyErr_SetString(PyExc_OverflowError, "a column holds more than 2 GiB");
        return -1;
    }
    if (texts->room - texts->length >= more) return 0;
    size_t room = texts->room * 2 > texts->length + more ? texts->room * 2 : texts->length + more + 4096;
    char *data = PyMem_Realloc(texts->data, room);
    if (!data) {
        PyErr_NoMemory();
        return -1;
    }
    texts->data = data;
    texts->room = room;
    return 0;
}

static int reserve_rows(Columns *self)
{
    if (self->rows < self->room) return 0;
    Py_ssize_t room = self->room * 2 + 1024;
    for (int number = 0; number <= self->width; number++) {
        Texts *texts = &self->columns[number];
        int32_t *ends = PyMem_Realloc(texts->ends, (size_t)(room + 1) * sizeof *ends);
        if (ends) texts->ends = ends;
        unsigned char *there = ends ? PyMem_Realloc(texts->there, (size_t)room) : NULL;
        if (!there) {
            PyErr_NoMemory();
            return -1;
        }
        texts->there = there;
        ends[0] = 0;
    }
    unsigned char *inexact = PyMem_Realloc(self->inexact, (size_t)room);
    if (!inexact) {
        PyErr_NoMemory();
        return -1;
    }
    self->inexact = inexact;
    self->room = room;
    return 0;
}

/* Put a string's content behind what is there; it has no escapes of letters. */
static void put_unescaped(Texts *texts, Bytes at, Bytes end)
{
    static const char FROM[] = "\"\\/bfnrt", TO[] = "\"\\/\b\f\n\r\t";
    while (at < end) {
        Bytes escape = memchr(at, '\\', (size_t)(end - at));
        size_t length = (size_t)((escape ? escape : end) - at);
        memcpy(texts->data + texts->length, at, length);
        texts->length += length;
        if (!escape) return;
        texts->data[texts->length++] = TO[strchr(FROM, escape[1]) - FROM];
        at = escape + 2;
    }
}

static int put(Texts *texts, Piece piece, Py_ssize_t row)
{
    texts->there[row] = piece.begin != NULL;
    if (piece.begin) {
        if (reserve(texts, (size_t)(piece.end - piece.begin))) return -1;
        switch (*piece.begin) {
        case 't': texts->data[texts->length++] = '1'; break;
        case 'f': texts->data[texts->length++] = '0'; break;
        default: put_unescaped(texts, piece.begin + 1, piece.end - 1);
        }
    }
    texts->ends[row + 1] = (int32_t)texts->length;
    texts->missing += !piece.begin;
    return 0;
}

/* Forget what was put for a row into the first of the columns. */
static int forget(Columns *self, int columns)
{
    for (int number = 0; number < columns; number++) {
        self->columns[number].length = (size_t)self->columns[number].ends[self->rows];
        self->columns[number].missing -= !self->columns[number].there[self->rows];
    }
    return -1;
}

/* Whether a piece can be taken as it is: no letters escaped by their numbers. */
static int is_plain(Piece piece)
{
    if (!piece.begin || *piece.begin != '"') return 1;
    for (Bytes at = piece.begin; (at = memchr(at, '\\', (size_t)(piece.end - at))); at += 2)
        if (at[1] == 'u') return 0;
    return 1;
}

/* Take a record as a row: 1 if it was taken, 0 if it is unusual, -1 for an error. */
static int take_record(Columns *self, Bytes at, Bytes limit)
{
    unsigned seen = 0;
    self->record++;
    self->names.count = 0;
    memset(self->pieces, 0, (size_t)(self->width + 1) * sizeof *self->pieces);
    if (walk_object(self, at, limit, 0, self->root_count, &seen) != limit) return 0;
    if (seen & (SURROGATE | UNSURE)) return 0;
    for (int number = 0; number < self->width; number++)
        if (!is_plain(self->pieces[number])) return 0;
    if (seen & HIGH) {
        PyObject *decoded = PyUnicode_DecodeUTF8((const char *)at, limit - at, "strict");
        if (!decoded) {
            PyErr_Clear();
            return 0;
        }
        Py_DECREF(decoded);
    }
    if (reserve_rows(self)) return -1;
    for (int number = 0; number < self->width; number++)
        if (put(&self->columns[number], self->pieces[number], self->rows)) return forget(self, number);
    Texts *whole = &self->columns[self->width];
    if (reserve(whole, (size_t)(limit - at))) return forget(self, self->width);
    memcpy(whole->data + whole->length, at, (size_t)(limit - at));
    whole->length += (size_t)(limit - at);
    whole->ends[self->rows + 1] = (int32_t)whole->length;
    whole->there[self->rows] = 1;
    self->inexact[self->rows++] = (seen & (FRACTION | TWICE)) != 0;
    return 1;
}

static PyObject *add(PyObject *object, PyObject *args)
{
    Columns *self = (Columns *)object;
    Py_buffer view;
    PyObject *spans;
    if (!PyArg_ParseTuple(args, "y*O!", &view, &PyList_Type, &spans)) return NULL;
    PyObject *left = PyList_New(0);
    for (Py_ssize_t number = 0; left && number < PyList_GET_SIZE(spans); number++) {
        Py_ssize_t start, end, bits;
        PyObject *span = PyList_GET_ITEM(spans, number);
        int taken = -1;
        if (PyTuple_Check(span) && PyArg_ParseTuple(span, "nnn", &start, &end, &bits)) {
            if (0 <= start && start <= end && end <= view.len)
                taken = take_record(self, (Bytes)view.buf + start, (Bytes)view.buf + end);
            else
                PyErr_SetString(PyExc_ValueError, "not a stretch of the buffer");
        } else if (!PyErr_Occurred()) {
            PyErr_SetString(PyExc_TypeError, "a span is a tuple");
        }
        if (taken < 0 || (!taken && PyList_Append(left, span))) Py_CLEAR(left);
    }
    PyBuffer_Release(&view);
    return left;
}

static PyObject *cut(PyObject *object, PyObject *argument)
{
    Columns *self = (Columns *)object;
    Py_ssize_t rows = PyLong_AsSsize_t(argument);
    if (rows < 0 || rows > self->rows) {
        if (!PyErr_Occurred()) PyErr_SetString(PyExc_ValueError, "there are not so many rows");
        return NULL;
    }
    for (int number = 0; number <= self->width; number++) {
        Texts *texts = &self->columns[number];
        for (Py_ssize_t row = rows; row < self->rows; row++) texts->missing -= !texts->there[row];
        texts->length = rows ? (size_t)texts->ends[rows] : 0;
    }
    self->rows = rows;
    Py_RETURN_NONE;
}

/* Give bits of bytes that are 0 or 1, the lowest bit first. */
static PyObject *packed(const unsigned char *bytes, Py_ssize_t count)
{
    PyObject *bits = PyBytes_FromStringAndSize(NULL, (count + 7) / 8);
    if (!bits) return NULL;
    unsigned char *to = (unsigned char *)PyBytes_AS_STRING(bits);
    memset(to, 0, (size_t)((count + 7) / 8));
    for (Py_ssize_t number = 0; number < count; number++) to[number / 8] |= (unsigned char)(bytes[number] << (number % 8));
    return bits;
}

/* The texts of a column that were taken. Their memory goes back to the column if it has none by then: a new one would have
   to be cleared page by page. */
typedef struct {
    PyObject_HEAD
    Columns *owner;
    int column;
    char *data;
    size_t length, room;
} Block;

static PyTypeObject *block_type;

static int lend(PyObject *object, Py_buffer *view, int flags)
{
    Block *block = (Block *)object;
    return PyBuffer_FillInfo(view, object, block->data ? block->data : "", (Py_ssize_t)block->length, 1, flags);
}

static void give_back(PyObject *object)
{
    Block *block = (Block *)object;
    PyTypeObject *type = Py_TYPE(object);
    Texts *texts = &block->owner->columns[block->column];
    if (texts->data) {
        PyMem_Free(block->data);
    } else {
        texts->data = block->data;
        texts->room = block->room;
    }
    Py_DECREF(block->owner);
    type->tp_free(object);
    Py_DECREF(type);
}

static PyObject *lent(Columns *self, int column)
{
    Block *block = (Block *)block_type->tp_alloc(block_type, 0);
    if (!block) return NULL;
    Texts *texts = &self->columns[column];
    block->owner = (Columns *)Py_NewRef(self);
    block->column = column;
    block->data = texts->data;
    block->length = texts->length;
    block->room = texts->room;
    texts->data = NULL;
    texts->length = texts->room = 0;
    return (PyObject *)block;
}

static PyObject *taken_texts(Columns *self, int column)
{
    static const int32_t NONE[] = {0};
    const Texts *texts = &self->columns[column];
    Py_ssize_t missing = texts->missing;
    PyObject *there = missing ? packed(texts->there, self->rows) : Py_NewRef(Py_None);
    PyObject *data = there ? lent(self, column) : NULL;
    if (!data) {
        Py_XDECREF(there);
        return NULL;
    }
    return Py_BuildValue("nNy#N", missing, there, self->rows ? (const char *)texts->ends : (const char *)NONE, (self->rows + 1) * (Py_ssize_t)sizeof *NONE, data);
}

static PyObject *take(PyObject *object, PyObject *unused)
{
    (void)unused;
    Columns *self = (Columns *)object;
    PyObject *list = PyList_New(self->width + 1);
    for (int number = 0; list && number <= self->width; number++) {
        PyObject *texts = taken_texts(self, number);
        if (texts)
            PyList_SET_ITEM(list, number, texts);
        else
            Py_CLEAR(list);
    }
    PyObject *inexact = list ? packed(self->inexact, self->rows) : NULL;
    PyObject *result = inexact ? Py_BuildValue("nNN", self->rows, list, inexact) : NULL;
    if (!inexact) Py_XDECREF(list);
    for (int number = 0; number <= self->width; number++) self->columns[number].length = 0, self->columns[number].missing = 0;
    self->rows = 0; /* also where there was no memory: what was taken by then is gone */
    return result;
}

/* ---- the object ---- */

static int count_fields(PyObject *tree)
{
    int count = 0;
    if (!PyTuple_Check(tree)) return 0;
    for (Py_ssize_t number = 0; number < PyTuple_GET_SIZE(tree); number++) {
        PyObject *row = PyTuple_GET_ITEM(tree, number);
        count += 1 + (PyTuple_Check(row) && PyTuple_GET_SIZE(row) == 4 ? count_fields(PyTuple_GET_ITEM(row, 3)) : 0);
    }
    return count;
}

/* Read the fields of one object behind those that are there already, then those of objects in it. */
static int read_fields(Columns *self, PyObject *tree, int depth)
{
    int first = self->field_count, count = (int)PyTuple_GET_SIZE(tree);
    if (depth > 16) {
        PyErr_SetString(PyExc_ValueError, "fields are nested more than 16 deep");
        return -1;
    }
    self->field_count += count;
    for (int number = 0; number < count; number++) {
        Field *field = &self->fields[first + number];
        PyObject *members;
        const char *name;
        if (!PyTuple_Check(PyTuple_GET_ITEM(tree, number))) {
            PyErr_SetString(PyExc_TypeError, "a field is a tuple");
            return -1;
        }
        if (!PyArg_ParseTuple(PyTuple_GET_ITEM(tree, number), "y#iiO!", &name, &field->length, &field->kind, &field->column, &PyTuple_Type, &members)) return -1;
        if (field->kind < 0 || field->kind >= KINDS || (field->kind < OBJECT && (field->column < 0 || field->column >= self->width))) {
            PyErr_SetString(PyExc_ValueError, "there is no such kind or column");
            return -1;
        }
        if (!(field->name = PyMem_Malloc((size_t)field->length + 1))) {
            PyErr_NoMemory();
            return -1;
        }
        memcpy(field->name, name, (size_t)field->length);
        field->first = self->field_count;
        field->count = (int)PyTuple_GET_SIZE(members);
        if (field->count && read_fields(self, members, depth + 1)) return -1;
    }
    return 0;
}

static void destroy(PyObject *object)
{
    Columns *self = (Columns *)object;
    PyTypeObject *type = Py_TYPE(object);
    for (int number = 0; self->fields && number < self->field_count; number++) PyMem_Free(self->fields[number].name);
    for (int number = 0; self->columns && number <= self->width; number++) {
        PyMem_Free(self->columns[number].data);
        PyMem_Free(self->columns[number].ends);
        PyMem_Free(self->columns[number].there);
    }
    PyMem_Free(self->fields);
    PyMem_Free(self->columns);
    PyMem_Free(self->pieces);
    PyMem_Free(self->inexact);
    type->tp_free(object);
    Py_DECREF(type);
}

static PyObject *create(PyTypeObject *type, PyObject *args, PyObject *names)
{
    PyObject *tree;
    int width;
    (void)names;
    if (!PyArg_ParseTuple(args, "O!i", &PyTuple_Type, &tree, &width)) return NULL;
    if (width < 0 || width > 4096) {
        PyErr_SetString(PyExc_ValueError, "there are 0 to 4096 columns");
        return NULL;
    }
    Columns *self = (Columns *)type->tp_alloc(type, 0);
    if (!self) return NULL;
    self->width = width;
    self->fields = PyMem_Calloc((size_t)count_fields(tree) + 1, sizeof *self->fields);
    self->columns = PyMem_Calloc((size_t)width + 1, sizeof *self->columns);
    self->pieces = PyMem_Calloc((size_t)width + 1, sizeof *self->pieces);
    if (!self->fields || !self->columns || !self->pieces) {
        PyErr_NoMemory();
        Py_DECREF(self);
        return NULL;
    }
    self->root_count = (int)PyTuple_GET_SIZE(tree);
    if (read_fields(self, tree, 0)) Py_CLEAR(self);
    return (PyObject *)self;
}

static PyObject *rows_of(PyObject *object, void *unused)
{
    (void)unused;
    return PyLong_FromSsize_t(((Columns *)object)->rows);
}

static PyObject *size_of(PyObject *object, void *unused)
{
    (void)unused;
    Columns *self = (Columns *)object;
    return PyLong_FromSize_t(self->columns[self->width].length);
}

static PyMethodDef methods[] = {{"add", add, METH_VARARGS, NULL}, {"cut", cut, METH_O, NULL}, {"take", take, METH_NOARGS, NULL}, {NULL, NULL, 0, NULL}};
static PyGetSetDef properties[] = {{"rows", rows_of, NULL, NULL, NULL}, {"size", size_of, NULL, NULL, NULL}, {NULL, NULL, NULL, NULL, NULL}};
static PyType_Slot slots[] = {{Py_tp_new, create}, {Py_tp_dealloc, destroy}, {Py_tp_methods, methods}, {Py_tp_getset, properties}, {0, NULL}};
static PyType_Spec spec = {.name = "rolewatch.cloudtrail._columns.Columns", .basicsize = sizeof(Columns), .flags = Py_TPFLAGS_DEFAULT, .slots = slots};
static PyType_Slot block_slots[] = {{Py_tp_dealloc, give_back}, {Py_bf_getbuffer, lend}, {0, NULL}};
static PyType_Spec block_spec = {
    .name = "rolewatch.cloudtrail._columns.Block", .basicsize = sizeof(Block), .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, .slots = block_slots};
static struct PyModuleDef module = {.m_base = PyModuleDef_HEAD_INIT, .m_name = "_columns", .m_size = -1};

#endif

PyMODINIT_FUNC PyInit__columns(void)
{
#ifdef SUPPORTED
    PyObject *made = PyModule_Create(&module), *type = made ? PyType_FromSpec(&spec) : NULL;
    if (type && !block_type) block_type = (PyTypeObject *)PyType_FromSpec(&block_spec);
    if (type && block_type && !PyModule_AddObjectRef(made, "Columns", type)) {
        Py_DECREF(type);
        return made;
    }
    Py_XDECREF(type);
    Py_XDECREF(made);
    return NULL;
#else
    PyErr_SetString(PyExc_ImportError, "this processor is none of those that the module was written for");
    return NULL;
#endif
}

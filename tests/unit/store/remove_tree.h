/* remove_tree.h - a directory with all that is in it, gone. */
#ifndef TESTS_UNIT_REMOVE_TREE_H
#define TESTS_UNIT_REMOVE_TREE_H

void remove_tree(const char *path);

#endif

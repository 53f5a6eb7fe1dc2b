"""Components for other frameworks; each module needs the library it is named after."""

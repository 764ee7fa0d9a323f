"""Where Django's formats of a language are not those of this site: settings.FORMAT_MODULE_PATH."""

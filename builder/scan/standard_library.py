"""Top-level names that come with Python itself: of this Python, and of older and newer ones projects are written for."""

from __future__ import annotations

import sys

# Gone since: Python 2's own, and what 3.10 to 3.14 removed. A project of their time imports them rightly.
_OLDER = """
    __builtin__ BaseHTTPServer Bastion CGIHTTPServer ConfigParser Cookie DocXMLRPCServer HTMLParser Queue ScrolledText
    SimpleHTTPServer SimpleXMLRPCServer SocketServer StringIO Tix Tkinter UserDict UserList UserString anydbm cPickle
    cStringIO commands compiler cookielib copy_reg dbhash dumbdbm dummy_thread dummy_threading exceptions formatter
    future_builtins gdbm hotshot htmlentitydefs htmllib httplib md5 mimetools mimify multifile new os2emxpath popen2
    posixfile robotparser rfc822 sets sgmllib sha statvfs sunaudio thread tkColorChooser tkCommonDialog tkFileDialog
    tkFont tkMessageBox tkSimpleDialog toaiff ttk urllib2 urlparse user whichdb xmlrpclib xmllib _bootlocale _dummy_thread
    aifc asynchat asyncore audioop binhex cgi cgitb chunk crypt distutils imghdr imp lib2to3 macpath mailcap msilib nis
    nntplib ossaudiodev parser pipes smtpd sndhdr spwd sunau symbol telnetlib uu xdrlib
"""
_NEWER = frozenset({"tomllib", "annotationlib", "compression"})
_ALWAYS = frozenset({"__future__", "__main__", "test", "_typeshed"})

NAMES = frozenset(sys.stdlib_module_names) | frozenset(_OLDER.split()) | _NEWER | _ALWAYS


def is_standard(name: str) -> bool:
    """Whether a dotted name begins with a module of Python's standard library."""
    return name.partition(".")[0] in NAMES

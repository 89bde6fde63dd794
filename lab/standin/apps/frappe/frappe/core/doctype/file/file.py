"""Files: the row, and the bytes below sites/<site>/public/files or private/files."""

import base64
import hashlib
import os

import frappe
from frappe.model.document import Document


class File(Document):
    def __init__(self, values):
        super().__init__(values)
        self._content, self._coded = values.get("content"), values.get("decode")

    def before_insert(self):
        if self._content is None:
            return
        content = self._content.encode() if isinstance(self._content, str) else self._content
        if self._coded:
            content = base64.b64decode(content.split(b",")[-1])
        name = os.path.basename(self.file_name or "")
        if not name:
            frappe.throw("File name is required")
        folder = "private/files" if frappe.utils.cint(self.is_private) else "public/files"
        with open(frappe.get_site_path(folder, name), "wb") as file:
            file.write(content)
        self.file_name, self.file_size = name, len(content)
        self.content_hash = hashlib.md5(content, usedforsecurity=False).hexdigest()
        self.file_url = ("/private/files/" if frappe.utils.cint(self.is_private) else "/files/") + name

    def get_full_path(self):
        path = self.file_url if self.file_url.startswith("/private") else "/public" + self.file_url
        return frappe.get_site_path(path.lstrip("/"))

    def get_content(self):
        with open(self.get_full_path(), "rb") as file:
            return file.read()

    def on_trash(self):
        if self.file_url and os.path.exists(self.get_full_path()):
            os.remove(self.get_full_path())

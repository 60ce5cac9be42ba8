"""Documents: one Jinja2 template makes the HTML and the PDF, openpyxl the workbook. No Qt.

Import it inside functions where a window's start-up would reach it: WeasyPrint and openpyxl load with it.
"""

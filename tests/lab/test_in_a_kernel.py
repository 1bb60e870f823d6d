"""What the room shows in a real kernel."""

import nbformat
from nbclient import NotebookClient

CELL = """
from effkit import lab
for bits in (8, 4, 2):
    lab.your_row(lesson="90_tiny", technique=f"int{bits}", bytes=1000 * bits, quality=bits / 10)
lab.size_quality_plot()
"""


def test_rows_written_by_one_cell_show_one_table_and_leave_stderr_empty(tmp_path, monkeypatch):
    monkeypatch.setenv("EFFKIT_STATE", str(tmp_path))
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL), nbformat.v4.new_code_cell(CELL)])
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    for cell in notebook.cells:
        assert [output.output_type for output in cell.outputs] == ["display_data", "display_data"]
        table, picture = (output["data"] for output in cell.outputs)
        assert all(name in table["text/html"] for name in ("int8", "int4", "int2"))
        assert "int2 (2,000 bytes, 0.2)" in picture["text/html"]

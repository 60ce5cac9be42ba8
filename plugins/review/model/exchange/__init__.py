"""Review results in other programs: BCF, PDF annotations, DXF redlines."""

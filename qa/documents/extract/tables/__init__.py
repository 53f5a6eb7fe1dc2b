"""Tables of records: CSV, JSON and workbooks."""

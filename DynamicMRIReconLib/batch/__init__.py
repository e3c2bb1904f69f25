"""Many jobs from one table: checked before the first starts, run here or on a Dask cluster, resumed where they ended.

``manifest`` reads the table; ``rows`` makes a job of each line and checks all of them; ``record`` says what is done
already; ``task`` runs one row, wherever that is; ``in_turn`` and ``dask_run`` run all of them; ``summary`` tells.
Nothing here imports Dask but ``cluster`` and ``dask_run``.
"""

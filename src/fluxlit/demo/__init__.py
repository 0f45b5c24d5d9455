"""The application that ``fluxlit demo`` starts: the operations desk of a fictional carrier.

Polarlane moves refrigerated goods between twelve depots. Its desk records what goes wrong on the
way. The application is written as any application on FluxLit would be, with public features only:

* ``app.py`` builds the ``FluxLit`` object, ``api.py`` the routes, ``pages/`` the pages;
* ``store.py`` keeps the incidents in SQLite, ``overview.py`` adds them up;
* ``seed.py`` invents them, ``imports.py`` reads them from CSV files: both without any I/O.

The pages read and write through the API alone; none of them knows the database.
"""

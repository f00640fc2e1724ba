"""What the web sites share: HTTP answers, guard, schemas, OpenAPI, sockets and static files."""

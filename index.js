// n8n loads nodes and credentials by the paths in package.json; this file only satisfies `main`.

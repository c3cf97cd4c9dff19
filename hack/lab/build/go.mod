module ancho.dev/lab

go 1.24.0

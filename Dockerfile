# The image is one static binary and its data directory. TAGS=slim leaves the embedded workflow engine out, for workers.
FROM golang:1.26.8-bookworm AS build
ARG TAGS=
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -tags "$TAGS" -ldflags '-s -w' -o /out/tourniquet ./cmd/tourniquet && mkdir /out/data

FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /out/tourniquet /tourniquet
COPY --from=build --chown=65532:65532 /out/data /data
COPY --from=build --chown=65532:65532 /out/data /evidence
VOLUME /data
EXPOSE 8686
ENTRYPOINT ["/tourniquet"]
CMD ["serve", "--config", "/etc/tourniquet/tourniquet.yaml"]

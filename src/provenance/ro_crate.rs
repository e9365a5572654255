//! The run as an RO-Crate 1.1 (Soiland-Reyes 2022, doi:10.3233/DS-210053), so that repositories and catalogues can read it.

use serde_json::{Value, json};

use crate::provenance::{FileHash, RunRecord};

/// The metadata document of a run.
pub fn ro_crate(record: &RunRecord) -> Value {
    let reference = |file: &FileHash| json!({ "@id": file.path });
    let files = |files: &[FileHash]| files.iter().map(reference).collect::<Vec<_>>();
    let program = format!("#cqa-{}", record.version);
    let mut parts = files(&record.outputs);
    parts.push(json!({ "@id": "run.json" }));
    let mut graph = vec![
        json!({
            "@id": "ro-crate-metadata.json",
            "@type": "CreativeWork",
            "conformsTo": { "@id": "https://w3id.org/ro/crate/1.1" },
            "about": { "@id": "./" },
        }),
        json!({
            "@id": "./",
            "@type": "Dataset",
            "name": "Run of cqa",
            "description": "Single-cell lots, clustered; their composition set against potency; candidate critical quality attributes ranked.",
            "datePublished": record.execution.ended,
            "license": { "@id": "#licence" },
            "hasPart": parts,
            "mentions": { "@id": "#run" },
        }),
        json!({
            "@id": "#licence",
            "@type": "CreativeWork",
            "name": "Not stated",
            "description": "The owner of the data decides on the licence of these results.",
        }),
        json!({
            "@id": program,
            "@type": "SoftwareApplication",
            "name": "cqa",
            "version": record.version,
            "softwareVersion": record.version,
        }),
        json!({
            "@id": "#run",
            "@type": "CreateAction",
            "name": record.execution.command.join(" "),
            "instrument": { "@id": program },
            "object": record.inputs.iter().map(|f| json!({ "@id": input_id(f) })).collect::<Vec<_>>(),
            "result": files(&record.outputs),
            "startTime": record.execution.started,
            "endTime": record.execution.ended,
        }),
        json!({ "@id": "run.json", "@type": "File", "name": "run.json", "encodingFormat": "application/json" }),
    ];
    graph.extend(record.outputs.iter().map(|file| entity(file, file.path.clone())));
    graph.extend(record.inputs.iter().map(|file| entity(file, input_id(file))));
    // The context of 1.1 is older than schema.org's word for a digest.
    let context = json!(["https://w3id.org/ro/crate/1.1/context", { "sha256": "http://schema.org/sha256" }]);
    json!({ "@context": context, "@graph": graph })
}

/// Inputs lie outside the crate, so they are contextual entities named by their content.
fn input_id(file: &FileHash) -> String {
    format!("#sha256-{}", file.sha256)
}

fn entity(file: &FileHash, id: String) -> Value {
    json!({
        "@id": id,
        "@type": "File",
        "name": file.path,
        "contentSize": file.bytes.to_string(),
        "sha256": file.sha256,
        "encodingFormat": encoding_format(&file.path),
    })
}

fn encoding_format(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or("") {
        "csv" => "text/csv",
        "gz" => "application/gzip",
        "html" => "text/html",
        "json" => "application/json",
        "parquet" => "application/vnd.apache.parquet",
        "png" => "image/png",
        "svg" => "image/svg+xml",
        "toml" => "application/toml",
        "h5ad" | "h5" => "application/x-hdf5",
        _ => "application/octet-stream",
    }
}

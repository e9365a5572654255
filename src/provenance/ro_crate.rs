//! The run as an RO-Crate 1.1 (Soiland-Reyes 2022, doi:10.3233/DS-210053) of the profile Workflow Run Crate (Leo 2024,
//! doi:10.1371/journal.pone.0309210), so that repositories and catalogues can read it.
//!
//! The workflow is `params.toml`, the program its language: together they say what is done to the inputs. A directory without
//! parameters of its own is a crate of the profile Process Run Crate.

use serde_json::{Value, json};

use crate::provenance::{FileHash, RunRecord};

/// What the crates promise to be, by the profile's name.
const PROCESS: (&str, &str, &str) = ("https://w3id.org/ro/wfrun/process/0.5", "Process Run Crate", "0.5");
const WORKFLOW_RUN: (&str, &str, &str) = ("https://w3id.org/ro/wfrun/workflow/0.5", "Workflow Run Crate", "0.5");
const WORKFLOW: (&str, &str, &str) = ("https://w3id.org/workflowhub/workflow-ro-crate/1.0", "Workflow RO-Crate", "1.0");
/// The file that says what is done.
const RECIPE: &str = "params.toml";

/// Where the program is at home.
const HOME: &str = "https://crates.io/crates/cqa";

/// A time in UTC as the profiles want it.
fn with_offset(time: &str) -> String {
    time.replace('Z', "+00:00")
}

fn refer(id: &str) -> Value {
    json!({ "@id": id })
}

/// The metadata document of a run.
pub fn ro_crate(record: &RunRecord) -> Value {
    let execution = &record.execution;
    let files = |files: &[FileHash]| files.iter().map(|file| refer(&file.path)).collect::<Vec<_>>();
    let program = format!("#cqa-{}", record.version);
    let has_recipe = record.outputs.iter().any(|file| file.path == RECIPE);
    let profiles = if has_recipe { vec![PROCESS, WORKFLOW_RUN, WORKFLOW] } else { vec![PROCESS] };
    let mut about = vec![refer("https://w3id.org/ro/crate/1.1")];
    let mut parts = files(&record.outputs);
    parts.push(refer("run.json"));
    let mut root = json!({
        "@id": "./",
        "@type": "Dataset",
        "name": "Run of cqa",
        "description": "Single-cell lots, clustered; their composition set against potency; candidate critical quality attributes ranked.",
        "datePublished": execution.ended,
        "license": refer("#licence"),
        "conformsTo": profiles.iter().map(|profile| refer(profile.0)).collect::<Vec<_>>(),
        "hasPart": parts,
        "mentions": refer("#run"),
    });
    let mut action = json!({
        "@id": "#run",
        "@type": "CreateAction",
        "name": execution.command.join(" "),
        "description": format!("seed {}{}{}", record.seed, if execution.reason.is_empty() { "" } else { "; " }, execution.reason),
        "instrument": refer(if has_recipe { RECIPE } else { &program }),
        "actionStatus": "http://schema.org/CompletedActionStatus",
        "object": record.inputs.iter().map(|f| refer(&input_id(f))).collect::<Vec<_>>(),
        "result": files(&record.outputs),
        "startTime": with_offset(&execution.started),
        "endTime": with_offset(&execution.ended),
    });
    let mut graph = Vec::new();
    if has_recipe {
        about.push(refer(WORKFLOW.0));
        root["mainEntity"] = refer(RECIPE);
    }
    if !execution.operator.is_empty() {
        action["agent"] = refer("#operator");
        graph.push(json!({ "@id": "#operator", "@type": "Person", "name": execution.operator }));
    }
    graph.splice(
        0..0,
        [
            json!({
                "@id": "ro-crate-metadata.json",
                "@type": "CreativeWork",
                "conformsTo": about,
                "about": refer("./"),
            }),
            root,
            json!({
                "@id": "#licence",
                "@type": "CreativeWork",
                "name": "Not stated",
                "description": "The owner of the data decides on the licence of these results.",
            }),
            json!({
                "@id": program,
                "@type": ["SoftwareApplication", "ComputerLanguage"],
                "name": "cqa",
                "url": HOME,
                "version": record.version,
                "operatingSystem": execution.target,
                "softwareRequirements": execution.crates.iter().map(|(name, v)| format!("{name} {v}")).collect::<Vec<_>>(),
            }),
            action,
            json!({ "@id": "run.json", "@type": "File", "name": "run.json", "encodingFormat": "application/json" }),
        ],
    );
    graph.extend(
        profiles
            .iter()
            .map(|(id, name, version)| json!({ "@id": id, "@type": "CreativeWork", "name": name, "version": version })),
    );
    graph.extend(record.outputs.iter().map(|file| {
        let mut entity = entity(file, file.path.clone());
        if file.path == RECIPE {
            entity["@type"] = json!(["File", "SoftwareSourceCode", "ComputationalWorkflow"]);
            entity["name"] = json!("From single-cell lots to candidate critical quality attributes");
            entity["programmingLanguage"] = refer(&program);
            entity["version"] = json!(record.version);
            entity["url"] = json!(HOME);
            entity["license"] = refer("#licence");
        }
        entity
    }));
    graph.extend(record.inputs.iter().map(|file| entity(file, input_id(file))));
    // The context of 1.1 is older than schema.org's word for a digest, and where it is served today it names workflows otherwise.
    let context = json!([
        "https://w3id.org/ro/crate/1.1/context",
        { "sha256": "http://schema.org/sha256", "ComputationalWorkflow": "https://bioschemas.org/ComputationalWorkflow" },
    ]);
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

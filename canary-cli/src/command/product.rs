//! `canary product`: what has versions.

use std::io::{self, BufRead, IsTerminal, Write};

use canary_client::{Client, NewProduct, Product, ProductFilter};
use clap::{Args, Subcommand};

use crate::failure::{Ending, Failure};
use crate::output::{self, Output};

mod policy;

pub(crate) const EXAMPLES: &str = "\
Examples:
  canary product create --name etl --repository-url https://git.example/etl \\
      --artifact-url https://registry.example/etl
  canary product list
  canary product show etl
  canary product policy etl --min-signals 30";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Create(Create),
    /// Lists products
    List(List),
    /// Shows one product
    Show(Show),
    Policy(Box<policy::PolicyOf>),
}

/// Registers a product
///
/// What is not given as a flag is asked for, if a person is at the terminal.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  canary product create
  canary product create --name etl --repository-url https://git.example/etl \\
      --artifact-url https://registry.example/etl")]
pub(crate) struct Create {
    /// A name that no other product has
    #[arg(long)]
    name: Option<String>,
    /// Where its source lives
    #[arg(long, value_name = "URL")]
    repository_url: Option<String>,
    /// Where its builds are found; no other product's are found there
    #[arg(long, value_name = "URL")]
    artifact_url: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  canary product list
  canary product list --output json")]
pub(crate) struct List {
    /// Only the product with this name
    #[arg(long)]
    name: Option<String>,
    /// Only the product with builds here
    #[arg(long, value_name = "URL")]
    artifact_url: Option<String>,
    /// The most products to list
    #[arg(long, value_name = "COUNT", default_value_t = 1000)]
    limit: usize,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  canary product show etl
  canary product show https://registry.example/etl")]
pub(crate) struct Show {
    /// The product's name, id or artifact URL
    product: String,
}

pub(crate) fn run(
    command: Command,
    client: &Client,
    output: &mut Output<'_>,
) -> Result<Ending, Failure> {
    match command {
        Command::Create(create) => {
            let terminal = io::stdin().is_terminal();
            let product = create.complete(terminal, &mut io::stdin().lock(), &mut io::stderr())?;
            let product = client.create_product(&product)?;
            output
                .show(&product, |product| format!("created {} as {}", product.name, product.id))?;
        }
        Command::List(list) => {
            let products: Vec<Product> =
                client.products(&list.filter()).take(list.limit).collect::<Result<_, _>>()?;
            output.show(&products, |products| table(products))?;
        }
        Command::Show(Show { product }) => output.show(&find(client, &product)?, details)?,
        Command::Policy(policy) => policy.run(client, output)?,
    }
    Ok(Ending::Done)
}

impl Create {
    /// Asks for what was not given, if there is somebody to ask.
    fn complete(
        self,
        is_terminal: bool,
        answers: &mut dyn BufRead,
        questions: &mut dyn Write,
    ) -> Result<NewProduct, Failure> {
        let mut ask = |given: Option<String>, question: &str, flag: &str| match given {
            Some(value) => Ok(value),
            None if is_terminal => prompt(question, flag, answers, questions),
            None => Err(missing(flag)),
        };
        Ok(NewProduct::new(
            ask(self.name, "Name", "--name")?,
            ask(self.repository_url, "Repository URL", "--repository-url")?,
            ask(self.artifact_url, "Artifact URL", "--artifact-url")?,
        ))
    }
}

fn prompt(
    question: &str,
    flag: &str,
    answers: &mut dyn BufRead,
    questions: &mut dyn Write,
) -> Result<String, Failure> {
    write!(questions, "{question}: ")?;
    questions.flush()?;
    let mut line = String::new();
    answers.read_line(&mut line)?;
    match line.trim() {
        "" => Err(missing(flag)),
        answer => Ok(answer.to_owned()),
    }
}

fn missing(flag: &str) -> Failure {
    Failure::usage(format!("{flag} is missing"))
        .hint("run `canary product create` at a terminal to be asked, or see --help")
}

impl List {
    fn filter(&self) -> ProductFilter {
        let mut filter = ProductFilter::default();
        if let Some(name) = &self.name {
            filter = filter.name(name);
        }
        if let Some(artifact_url) = &self.artifact_url {
            filter = filter.artifact_url(artifact_url);
        }
        filter
    }
}

/// Finds a product by whatever names it.
fn find(client: &Client, product: &str) -> Result<Product, Failure> {
    let filters =
        [ProductFilter::default().name(product), ProductFilter::default().artifact_url(product)];
    for filter in &filters {
        if let Some(found) = client.products(filter).next() {
            return Ok(found?);
        }
    }
    if uuid::Uuid::parse_str(product).is_ok() {
        return Ok(client.product(product)?);
    }
    Err(Failure::refused(format!("there is no product `{product}`"))
        .hint("`canary product list` shows what there is"))
}

fn table(products: &[Product]) -> String {
    if products.is_empty() {
        return "no products".to_owned();
    }
    let row = |product: &Product| {
        vec![product.name.clone(), product.artifact_url.clone(), product.id.clone()]
    };
    output::columns(&["NAME", "ARTIFACT URL", "ID"], &[], products.iter().map(row))
}

fn details(product: &Product) -> String {
    output::pairs([
        ("name", product.name.clone()),
        ("repository url", product.repository_url.clone()),
        ("artifact url", product.artifact_url.clone()),
        ("id", product.id.clone()),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn create() -> Create {
        Create { name: Some("etl".into()), repository_url: None, artifact_url: None }
    }

    #[test]
    fn a_person_is_asked_for_what_is_missing() {
        let mut questions = Vec::new();
        let mut answers = "https://git\n https://etl \n".as_bytes();
        let product = create().complete(true, &mut answers, &mut questions).unwrap();
        assert_eq!(product, NewProduct::new("etl", "https://git", "https://etl"));
        assert_eq!(String::from_utf8(questions).unwrap(), "Repository URL: Artifact URL: ");
    }

    #[test]
    fn a_program_is_told_which_flag_is_missing() {
        for (is_terminal, answers) in [(false, "https://git\n"), (true, "\n"), (true, "")] {
            let failure = create()
                .complete(is_terminal, &mut answers.as_bytes(), &mut Vec::new())
                .unwrap_err();
            assert_eq!(failure.exit_code(), 2);
            assert!(failure.text().starts_with("error: --repository-url is missing\nhint: "));
        }
    }
}

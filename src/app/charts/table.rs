//! The numbers behind a chart: a table that opens, and the same as a file.

use crate::web::browser;
use yew::prelude::*;

#[derive(Clone, PartialEq, Properties)]
pub struct Props {
    /// Names of the columns.
    pub head: Vec<AttrValue>,
    /// The rows.
    pub rows: Vec<Vec<String>>,
    /// Name of the file, without its ending.
    pub file: AttrValue,
}

#[component]
pub fn Table(props: &Props) -> Html {
    let Props { head, rows, file } = props;
    let onclick = {
        let (head, rows, file) = (head.clone(), rows.clone(), file.clone());
        Callback::from(move |_: MouseEvent| {
            let head: Vec<String> = head.iter().map(|name| name.to_string()).collect();
            let lines: Vec<String> = std::iter::once(&head).chain(&rows).map(|row| csv_line(row)).collect();
            browser::download(&format!("{file}.csv"), "text/csv", &lines.concat());
        })
    };
    html! {
        <details class="numbers">
            <summary>{ "Numbers" }</summary>
            <div class="scroll" tabindex="0" role="region" aria-label="Numbers">
                <table>
                    <thead><tr>{ for head.iter().map(|name| html! { <th scope="col">{ name }</th> }) }</tr></thead>
                    <tbody>{ for rows.iter().map(|row| html! { <tr>{ for row.iter().map(|cell| html! { <td>{ cell }</td> }) }</tr> }) }</tbody>
                </table>
            </div>
            <button {onclick}>{ "Download as CSV" }</button>
        </details>
    }
}

/// One line of a CSV file (RFC 4180).
fn csv_line(cells: &[String]) -> String {
    let quoted = cells.iter().map(|cell| {
        if cell.contains([',', '"', '\n', '\r']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.clone() }
    });
    quoted.collect::<Vec<_>>().join(",") + "\r\n"
}

#[cfg(test)]
mod tests {
    #[test]
    fn cells_with_commas_and_quotes_are_quoted() {
        let cells = ["a", "1,5", "say \"so\""].map(str::to_owned);
        assert_eq!(super::csv_line(&cells), "a,\"1,5\",\"say \"\"so\"\"\"\r\n");
    }
}

//! The numbers behind a chart: a table that unfolds, and a CSV file.

use crate::elements::controls::button;
use crate::web::browser;
use yew::prelude::*;

/// The table. `file` is the name of the file, without its ending.
pub fn table(head: &[&'static str], rows: Vec<Vec<String>>, file: &'static str) -> Html {
    let cells = rows.iter().map(|row| html! { <tr>{ for row.iter().map(|cell| html! { <td>{ cell }</td> }) }</tr> });
    let body: Html = cells.collect();
    let names: Vec<String> = head.iter().map(|name| (*name).to_owned()).collect();
    let download = Callback::from(move |_: MouseEvent| {
        let lines: String = std::iter::once(&names).chain(&rows).map(|row| csv_line(row)).collect();
        browser::download(&format!("{file}.csv"), "text/csv", &lines);
    });
    html! {
        <details class="numbers">
            <summary>{ "Numbers" }</summary>
            <div class="scroll" tabindex="0" role="region" aria-label="Numbers">
                <table>
                    <thead><tr>{ for head.iter().map(|name| html! { <th scope="col">{ *name }</th> }) }</tr></thead>
                    <tbody>{ body }</tbody>
                </table>
            </div>
            { button("Download as CSV", download) }
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

//! The numbers behind a chart: a table that unfolds, and a CSV file.

use crate::elements::controls::button;
use crate::web::browser;
use quorumscope::lab::export::csv;
use yew::prelude::*;

/// The table. `file` is the name of the file, without its ending.
pub fn table(head: &[&'static str], rows: Vec<Vec<String>>, file: &'static str) -> Html {
    let cells = rows.iter().map(|row| html! { <tr>{ for row.iter().map(|cell| html! { <td>{ cell }</td> }) }</tr> });
    let body: Html = cells.collect();
    let names: Vec<String> = head.iter().map(|name| (*name).to_owned()).collect();
    let download = Callback::from(move |_: MouseEvent| {
        let lines: String = std::iter::once(&names).chain(&rows).map(|row| csv::line(row)).collect();
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

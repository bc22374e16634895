//! Built-in tables of measured round trips between cloud regions, with their positions. Sources: `data/rtt/README.md`.

use super::quantity::milliseconds;
use crate::core::Micros;

/// A built-in table of measured round trips between regions.
#[derive(Debug)]
pub struct Matrix {
    /// Its name in a scenario (`matrix = "aws"`).
    pub key: &'static str,
    /// Its name as shown.
    pub title: &'static str,
    /// Who measured, and when.
    pub source: &'static str,
    /// The regions, in the order of the table's rows and columns.
    pub regions: &'static [Region],
    csv: &'static str,
}

/// A region of a cloud provider.
#[derive(Debug, PartialEq)]
pub struct Region {
    /// Its provider's name for it, such as `us-east-1`.
    pub id: &'static str,
    /// Its name as shown: a city, state or country.
    pub name: &'static str,
    /// Latitude and longitude in degrees.
    pub position: [f64; 2],
}

const fn region(id: &'static str, name: &'static str, latitude: f64, longitude: f64) -> Region {
    Region { id, name, position: [latitude, longitude] }
}

/// All built-in tables.
pub const MATRICES: &[Matrix] = &[
    Matrix {
        key: "aws",
        title: "Amazon Web Services",
        source: "averages of June 2020, published with the fantoch simulator",
        regions: &[
            region("af-south-1", "Cape Town", -33.9, 18.4),
            region("ap-east-1", "Hong Kong", 22.3, 114.2),
            region("ap-northeast-1", "Tokyo", 35.7, 139.7),
            region("ap-south-1", "Mumbai", 19.1, 72.9),
            region("ap-southeast-1", "Singapore", 1.4, 103.8),
            region("ap-southeast-2", "Sydney", -33.9, 151.2),
            region("ca-central-1", "Montreal", 45.5, -73.6),
            region("eu-central-1", "Frankfurt", 50.1, 8.7),
            region("eu-north-1", "Stockholm", 59.3, 18.1),
            region("eu-south-1", "Milan", 45.5, 9.2),
            region("eu-west-1", "Ireland", 53.3, -6.3),
            region("eu-west-2", "London", 51.5, -0.1),
            region("eu-west-3", "Paris", 48.9, 2.4),
            region("me-south-1", "Bahrain", 26.2, 50.6),
            region("sa-east-1", "São Paulo", -23.6, -46.6),
            region("us-east-1", "Virginia", 39.0, -77.5),
            region("us-east-2", "Ohio", 40.0, -83.0),
            region("us-west-1", "California", 37.4, -121.9),
            region("us-west-2", "Oregon", 45.8, -119.7),
        ],
        csv: include_str!("../../../data/rtt/aws_2020_06_05_rtt_avg_ms.csv"),
    },
    Matrix {
        key: "gcp",
        title: "Google Cloud",
        source: "averages published with the fantoch simulator",
        regions: &[
            region("asia-east1", "Taiwan", 24.1, 120.5),
            region("asia-east2", "Hong Kong", 22.3, 114.2),
            region("asia-northeast1", "Tokyo", 35.7, 139.7),
            region("asia-northeast2", "Osaka", 34.7, 135.5),
            region("asia-south1", "Mumbai", 19.1, 72.9),
            region("asia-southeast1", "Singapore", 1.4, 103.8),
            region("australia-southeast1", "Sydney", -33.9, 151.2),
            region("europe-north1", "Finland", 60.6, 27.2),
            region("europe-west1", "Belgium", 50.5, 3.8),
            region("europe-west2", "London", 51.5, -0.1),
            region("europe-west3", "Frankfurt", 50.1, 8.7),
            region("europe-west4", "Netherlands", 53.4, 6.8),
            region("europe-west6", "Zurich", 47.4, 8.5),
            region("northamerica-northeast1", "Montreal", 45.5, -73.6),
            region("southamerica-east1", "São Paulo", -23.6, -46.6),
            region("us-central1", "Iowa", 41.3, -95.9),
            region("us-east1", "South Carolina", 33.2, -80.0),
            region("us-east4", "Virginia", 39.0, -77.5),
            region("us-west1", "Oregon", 45.6, -121.2),
            region("us-west2", "Los Angeles", 34.1, -118.2),
        ],
        csv: include_str!("../../../data/rtt/gcp_rtt_avg_ms.csv"),
    },
    Matrix {
        key: "pql",
        title: "Paxos Quorum Leases",
        source: "Moraru, Andersen, Kaminsky: Paxos Quorum Leases, SoCC 2014, Table 1",
        regions: &[
            region("JP", "Japan", 35.7, 139.7),
            region("CA", "California", 37.4, -121.9),
            region("OR", "Oregon", 45.8, -119.7),
            region("VA", "Virginia", 39.0, -77.5),
            region("IRL", "Ireland", 53.3, -6.3),
        ],
        csv: include_str!("../../../data/rtt/pql_table1.csv"),
    },
];

/// The table with this key.
pub fn matrix(key: &str) -> Option<&'static Matrix> {
    MATRICES.iter().find(|matrix| matrix.key == key)
}

impl Matrix {
    /// The row of a region, and the region, by its id.
    pub fn region(&self, id: &str) -> Option<(usize, &'static Region)> {
        self.regions.iter().enumerate().find(|(_, region)| region.id == id)
    }

    /// All round trips in µs, row by row: from `regions[a]` to `regions[b]` at `a * regions.len() + b`.
    pub fn round_trips(&self) -> Vec<Micros> {
        let rows = self.csv.lines().skip(1);
        rows.flat_map(|row| row.split(',').skip(1)).map(|cell| milliseconds(cell).unwrap_or_default()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_matrix_rows_and_columns_match_its_regions() {
        for matrix in MATRICES {
            let header: Vec<&str> = matrix.csv.lines().next().unwrap_or_default().split(',').skip(1).collect();
            let rows: Vec<&str> = matrix.csv.lines().skip(1).filter_map(|row| row.split(',').next()).collect();
            let ids: Vec<&str> = matrix.regions.iter().map(|region| region.id).collect();
            assert_eq!((&header, &rows), (&ids, &ids), "{}", matrix.key);
            let trips = matrix.round_trips();
            assert_eq!(trips.len(), ids.len() * ids.len());
            assert!(trips.iter().all(|trip| *trip > 0));
        }
        let aws = matrix("aws").expect("built in");
        let (cape_town, _) = aws.region("af-south-1").expect("in the table");
        assert_eq!(aws.round_trips()[cape_town * aws.regions.len() + 1], 382_868);
    }
}

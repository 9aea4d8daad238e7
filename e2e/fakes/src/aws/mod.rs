//! A fake AWS: EC2 (Query protocol, XML answers) and STS, over a ground truth of accounts and regions.

output "orchestrator_role_arn" {
  description = "The role that the server runs with."
  value       = aws_iam_role.orchestrator.arn
}

output "firmware_bucket" {
  description = "For ota target create --firmware-bucket, and ota adopt."
  value       = aws_s3_bucket.firmware.bucket
}

output "presign_role_arn" {
  description = "For ota target create --presign-role, and ota adopt."
  value       = aws_iam_role.presign.arn
}

output "device_policy" {
  description = "The IoT policy for devices' certificates."
  value       = aws_iot_policy.device.name
}

output "device_role_alias" {
  description = "For devices that fetch firmware with credentials of their own."
  value       = aws_iot_role_alias.device.alias
}
